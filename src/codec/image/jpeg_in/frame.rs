//! The segments before the scan: tables, sampling, and where the bits begin.

use super::bits::Codes;
use crate::{codec::image::raster::Overhang, model::Dimensions};

/// One component of the frame.
pub struct Component {
    /// Blocks of an MCU across and down.
    pub h: usize,
    pub v: usize,
    id: u8,
    quantisers: usize,
    mean_codes: usize,
    codes: usize,
}

/// A file with one sequential scan of all its components.
pub struct Frame<'a> {
    width: usize,
    height: usize,
    pub components: Vec<Component>,
    quantisers: [Option<Box<[u16; 64]>>; 4],
    mean_codes: [Option<Codes>; 4],
    codes: [Option<Codes>; 4],
    /// MCUs between restart markers; 0 where there are none.
    pub restart_interval: usize,
    pub mcu_columns: usize,
    pub mcu_rows: usize,
    /// Pixels of an MCU down.
    pub mcu_height: usize,
    /// The entropy-coded bits and what follows.
    pub data: &'a [u8],
}

/// Fields of a segment, big-endian.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn word(&mut self) -> Option<usize> {
        Some(usize::from(self.byte()?) << 8 | usize::from(self.byte()?))
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }
}

impl<'a> Frame<'a> {
    /// Reads up to the scan; `None` for anything but one sequential scan of gray or YCbCr.
    pub fn read(stream: &'a [u8]) -> Option<Self> {
        let mut frame = Self {
            width: 0,
            height: 0,
            components: Vec::new(),
            quantisers: Default::default(),
            mean_codes: Default::default(),
            codes: Default::default(),
            restart_interval: 0,
            mcu_columns: 0,
            mcu_rows: 0,
            mcu_height: 0,
            data: &[],
        };
        let mut rest = Fields(stream);
        (rest.word()? == 0xFFD8).then_some(())?;
        loop {
            (rest.byte()? == 0xFF).then_some(())?;
            let mut marker = rest.byte()?;
            while marker == 0xFF {
                marker = rest.byte()?;
            }
            let length = rest.word()?.checked_sub(2)?;
            let mut segment = Fields(rest.take(length)?);
            match marker {
                0xDB => frame.quantisation(&mut segment)?,
                0xC4 => frame.huffman(&mut segment)?,
                0xC0 | 0xC1 => frame.start(&mut segment)?,
                0xDD => frame.restart_interval = segment.word()?,
                // Adobe's: other colours than YCbCr are told here.
                0xEE if segment.0.starts_with(b"Adobe") => {
                    (segment.0.get(11) == Some(&1)).then_some(())?;
                }
                0xDA => {
                    frame.scan(&mut segment)?;
                    frame.data = rest.0;
                    return Some(frame);
                }
                0xE0..=0xEF | 0xFE => {}
                _ => return None,
            }
        }
    }

    fn quantisation(&mut self, segment: &mut Fields<'_>) -> Option<()> {
        while !segment.0.is_empty() {
            let head = segment.byte()?;
            let mut table = Box::new([0u16; 64]);
            for value in table.iter_mut() {
                *value = match head >> 4 {
                    0 => u16::from(segment.byte()?),
                    _ => segment.word()? as u16,
                };
            }
            *self.quantisers.get_mut(usize::from(head & 15))? = Some(table);
        }
        Some(())
    }

    fn huffman(&mut self, segment: &mut Fields<'_>) -> Option<()> {
        while !segment.0.is_empty() {
            let head = segment.byte()?;
            let counts: &[u8; 16] = segment.take(16)?.try_into().ok()?;
            let total = counts.iter().map(|n| usize::from(*n)).sum();
            let codes = Codes::new(counts, segment.take(total)?)?;
            let tables = if head >> 4 == 0 { &mut self.mean_codes } else { &mut self.codes };
            *tables.get_mut(usize::from(head & 15))? = Some(codes);
        }
        Some(())
    }

    fn start(&mut self, segment: &mut Fields<'_>) -> Option<()> {
        (self.components.is_empty() && segment.byte()? == 8).then_some(())?;
        (self.height, self.width) = (segment.word()?, segment.word()?);
        (self.height > 0 && self.width > 0).then_some(())?;
        for _ in 0..segment.byte()? {
            let (id, sampling, table) = (segment.byte()?, segment.byte()?, segment.byte()?);
            let (h, v) = (usize::from(sampling >> 4), usize::from(sampling & 15));
            ((1..=4).contains(&h) && (1..=4).contains(&v)).then_some(())?;
            let quantisers = usize::from(table);
            self.components.push(Component { h, v, id, quantisers, mean_codes: 0, codes: 0 });
        }
        let ids: Vec<u8> = self.components.iter().map(|c| c.id).collect();
        match &mut self.components[..] {
            // Gray has blocks one after another, whatever its sampling says (T.81 A.2.2).
            [gray] => (gray.h, gray.v) = (1, 1),
            [_, _, _] if ids != *b"RGB" => {}
            _ => return None,
        }
        let (h, v) = self.most_sampled();
        self.mcu_height = v * 8;
        self.mcu_columns = self.width.div_ceil(h * 8);
        self.mcu_rows = self.height.div_ceil(v * 8);
        Some(())
    }

    fn scan(&mut self, segment: &mut Fields<'_>) -> Option<()> {
        (usize::from(segment.byte()?) == self.components.len()).then_some(())?;
        (!self.components.is_empty()).then_some(())?;
        for component in &mut self.components {
            (segment.byte()? == component.id).then_some(())?;
            let tables = segment.byte()?;
            component.mean_codes = usize::from(tables >> 4);
            component.codes = usize::from(tables & 15);
        }
        (segment.0 == [0, 63, 0]).then_some(())
    }

    /// The largest sampling factors.
    pub fn most_sampled(&self) -> (usize, usize) {
        let most = |of: fn(&Component) -> usize| self.components.iter().map(of).max().unwrap_or(1);
        (most(|c| c.h), most(|c| c.v))
    }

    /// Eighths of the size: the fewest of 1, 2, 4 and 8 at which one side reaches the target's.
    pub fn scale_for(&self, target: Dimensions) -> usize {
        let reaches = |scale: &usize| {
            (self.width * scale).div_ceil(8) >= target.width() as usize
                || (self.height * scale).div_ceil(8) >= target.height() as usize
        };
        [1, 2, 4].into_iter().find(reaches).unwrap_or(8)
    }

    /// The size at this many eighths.
    pub fn scaled(&self, scale: usize) -> Option<Dimensions> {
        let side = |n: usize| u32::try_from((n * scale).div_ceil(8)).ok();
        Dimensions::new(side(self.width)?, side(self.height)?)
    }

    /// How far the samples at this many eighths reach beyond the image.
    pub fn overhang(&self, scale: usize) -> Overhang {
        let whole = Dimensions::at_least_one(self.width as u32, self.height as u32);
        Overhang::at_scale(whole, scale as u32)
    }

    /// The tables of a component's means and of its other coefficients.
    #[inline]
    pub fn codes(&self, component: &Component) -> Option<(&Codes, &Codes)> {
        let mean = self.mean_codes.get(component.mean_codes)?.as_ref()?;
        Some((mean, self.codes.get(component.codes)?.as_ref()?))
    }

    /// The quantisers of a component, in the order of the file.
    #[inline]
    pub fn quantisers(&self, component: &Component) -> Option<&[u16; 64]> {
        self.quantisers.get(component.quantisers)?.as_deref()
    }
}
