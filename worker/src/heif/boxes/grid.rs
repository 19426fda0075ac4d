//! An image that is put together from tiles (ISO/IEC 23008-12 §6.6.2.3).

use super::Survey;

/// How an image is turned before it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::heif) enum Turn {
    /// A quarter to the left.
    Left,
    /// Upside down.
    Half,
    /// A quarter to the right.
    Right,
    /// What is at the left to the right.
    MirroredAcross,
    /// What is above below.
    MirroredDown,
}

/// A grid that is the image to show.
#[derive(Debug)]
pub(in crate::heif) struct Grid {
    /// Its tiles, row by row.
    pub tiles: Vec<u32>,
    /// What is done to the whole, in order.
    pub turns: Vec<Turn>,
    /// A copy of the file in which every tile can be asked for by itself.
    pub reachable: Vec<u8>,
}

impl Survey<'_> {
    /// The image as a grid, if it is one and not cropped.
    pub fn grid(&self) -> Option<Grid> {
        let shown = self.shown();
        if self.kind(shown) != Some(*b"grid") {
            return None;
        }
        let mut turns = Vec::new();
        for property in self.properties(shown) {
            let value = || self.bytes.get(property.body).copied();
            match &property.kind {
                b"clap" => return None,
                // Anticlockwise, in quarters.
                b"irot" => match value()? & 3 {
                    0 => {}
                    1 => turns.push(Turn::Left),
                    2 => turns.push(Turn::Half),
                    _ => turns.push(Turn::Right),
                },
                // 0 exchanges above and below: as libheif and the standard's second edition have
                // it, where the first is read either way.
                b"imir" if value()? & 1 == 0 => turns.push(Turn::MirroredDown),
                b"imir" => turns.push(Turn::MirroredAcross),
                _ => {}
            }
        }
        let tiles = self.references.iter().find(|r| r.kind == *b"dimg" && r.from == shown)?;
        let mut reachable = self.bytes.to_vec();
        for tile in &tiles.to {
            if ![Some(*b"hvc1"), Some(*b"av01")].contains(&self.kind(*tile)) {
                return None;
            }
            // Not hidden any more: the library gives no handle of what is.
            *reachable.get_mut(self.items.get(tile)?.entry + 3)? &= !1;
        }
        Some(Grid { tiles: tiles.to.clone(), turns, reachable })
    }
}
