//! A first look at a source.

use super::{names::Census, select::Select, source::Source};

/// What the whole source means for names, whatever is taken of it; and how much is taken.
pub fn survey(source: &Source, select: &Select) -> (Census, usize) {
    let mut census = Census::of_about(source.count());
    let mut picker = select.picker();
    let mut files = 0;
    for item in source.items() {
        if !item.is_bad() {
            census.add(&item.named);
        }
        files += usize::from(picker.takes(&item));
    }
    (census, files)
}
