//! Which items of a source a run takes. What is not taken still counts for names.

use std::{path::Path, str::FromStr};

use globset::{GlobBuilder, GlobMatcher};

use super::{digest, item::Item};

/// A pattern of paths: `*` and `?` do not cross a slash, `**` does, letters are told apart by case.
/// One without a slash is held against file names alone, at any depth.
#[derive(Clone, Debug)]
pub struct Pattern {
    matcher: GlobMatcher,
    whole: bool,
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let glob = GlobBuilder::new(text).literal_separator(true).build();
        let matcher = glob.map_err(|error| error.kind().to_string())?.compile_matcher();
        Ok(Self { matcher, whole: text.contains('/') })
    }
}

impl Pattern {
    fn matches(&self, path: &Path) -> bool {
        let of_name = || path.file_name().is_some_and(|name| self.matcher.is_match(name));
        if self.whole { self.matcher.is_match(path) } else { of_name() }
    }
}

/// One of several processes that share the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    count: u32,
}

impl Shard {
    /// Shard `index` of `count`; `None` unless `index < count`.
    pub fn new(index: u32, count: u32) -> Option<Self> {
        (index < count).then_some(Self { index, count })
    }

    /// Its folder in the output's state.
    pub fn folder(self) -> String {
        format!("shard-{}-of-{}", self.index, self.count)
    }

    fn has(self, path: &Path) -> bool {
        digest::of(path.as_os_str().as_encoded_bytes()) % u64::from(self.count)
            == u64::from(self.index)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shard = text.split_once('/').and_then(|(index, count)| {
            Self::new(index.trim().parse().ok()?, count.trim().parse().ok()?)
        });
        shard.ok_or_else(|| "write I/N with I from 0 to N-1, such as 0/4".to_owned())
    }
}

/// What to take.
#[derive(Clone, Debug, Default)]
pub struct Select {
    /// One of these must match; none: everything does.
    pub include: Vec<Pattern>,
    /// None of these may match.
    pub exclude: Vec<Pattern>,
    /// Only so many of what the patterns leave, in the source's order.
    pub limit: Option<u64>,
    /// Only this shard of what the limit leaves.
    pub shard: Option<Shard>,
}

impl Select {
    /// The items to take, in order. The limit counts before the shards part: together they take
    /// what one process without them would.
    pub fn pick<'a>(
        &'a self,
        items: impl Iterator<Item = Item> + 'a,
    ) -> impl Iterator<Item = Item> + 'a {
        let mut picker = self.picker();
        let ended =
            move |taken: &mut Picker<'a>| self.limit.is_some_and(|most| taken.count >= most);
        let mut items = items;
        std::iter::from_fn(move || {
            while !ended(&mut picker) {
                let item = items.next()?;
                if picker.takes(&item) {
                    return Some(item);
                }
            }
            None
        })
    }

    /// Judges items one after the other.
    pub fn picker(&self) -> Picker<'_> {
        Picker { select: self, count: 0 }
    }
}

/// The state of a selection within a source.
pub struct Picker<'a> {
    select: &'a Select,
    /// What patterns and limit took so far.
    count: u64,
}

impl Picker<'_> {
    /// Whether the next item of the source is taken. Rows of a manifest that cannot be read are
    /// taken whatever the patterns say: there may be no path to hold against them.
    pub fn takes(&mut self, item: &Item) -> bool {
        let select = self.select;
        let path = item.path.as_path();
        let matches = |patterns: &[Pattern]| patterns.iter().any(|one| one.matches(path));
        let wanted =
            (select.include.is_empty() || matches(&select.include)) && !matches(&select.exclude);
        if !(wanted || item.is_bad()) || select.limit.is_some_and(|most| self.count >= most) {
            return false;
        }
        self.count += 1;
        select.shard.is_none_or(|shard| shard.has(path))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn picked(select: &Select, paths: &[String]) -> Vec<String> {
        let items = paths.iter().map(|path| Item::in_tree(Path::new(path), 1));
        select.pick(items).map(|item| item.path.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn patterns_without_a_slash_are_for_names() {
        for (pattern, path, wanted) in [
            ("*.jpg", "a/b/c.jpg", true),
            ("*.jpg", "a.JPG", false),
            ("*.{jpg,png}", "a.png", true),
            ("a/*", "a/b", true),
            ("a/*", "a/b/c", false),
            ("a/**", "a/b/c", true),
            ("**/b/*", "a/b/c", true),
            ("b", "b/c", false),
        ] {
            let one: Pattern = pattern.parse().unwrap();
            assert_eq!(one.matches(Path::new(path)), wanted, "{pattern} {path}");
        }
        assert!("a[".parse::<Pattern>().is_err());
    }

    #[test]
    fn excluded_wins_and_the_limit_counts_what_is_left() {
        let paths: Vec<String> =
            ["a.jpg", "b.png", "c.jpg", "d.jpg", "e.jpg"].map(str::to_owned).to_vec();
        let select = Select {
            include: vec!["*.jpg".parse().unwrap()],
            exclude: vec!["c*".parse().unwrap()],
            limit: Some(2),
            shard: None,
        };
        assert_eq!(picked(&select, &paths), ["a.jpg", "d.jpg"]);
        assert!(picked(&Select { limit: Some(0), ..select }, &paths).is_empty());
    }

    #[test]
    fn shards_are_written_from_zero() {
        assert_eq!("1/3".parse::<Shard>().ok(), Shard::new(1, 3));
        for wrong in ["3/3", "1", "-1/3", "a/b", "0/0", ""] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }

    /// A job that goes on with another build of the program must find the same shards.
    #[test]
    fn shards_stay_as_they_are() {
        let all: Vec<usize> = ["a.jpg", "b.jpg", "c.jpg", "d/e.mms"]
            .iter()
            .map(|path| (0..4).find(|i| Shard { index: *i, count: 4 }.has(Path::new(path))))
            .map(|index| index.unwrap() as usize)
            .collect();
        assert_eq!(all, [2, 2, 1, 3]);
    }

    proptest! {
        #[test]
        fn shards_together_are_the_whole(
            paths in proptest::collection::btree_set("[a-d]{1,4}", 0..40),
            count in 1u32..7,
            limit in proptest::option::of(0u64..50),
        ) {
            let paths: Vec<String> = paths.into_iter().collect();
            let whole = picked(&Select { limit, ..Select::default() }, &paths);
            let mut together: Vec<String> = (0..count)
                .flat_map(|index| {
                    let shard = Shard::new(index, count);
                    picked(&Select { limit, shard, ..Select::default() }, &paths)
                })
                .collect();
            together.sort();
            prop_assert_eq!(whole, together);
        }
    }
}
