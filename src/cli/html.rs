pub fn page(_t: &str, _r: &crate::model::Report, _p: &[super::previews::Pair]) -> String {
    String::new()
}
