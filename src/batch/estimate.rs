//! From a sample to the whole: totals with their standard errors.

use serde::Serialize;

/// A total of all items, as a random sample of them tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Estimate {
    /// The total.
    pub value: f64,
    /// Its standard error, in the same unit: 0 where every item was looked at, `None` where one alone
    /// was.
    pub standard_error: Option<f64>,
}

impl Estimate {
    /// The same in another unit.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        let standard_error = self.standard_error.map(|error| error * factor);
        Self { value: self.value * factor, standard_error }
    }
}

/// What a sample sums up to. Items to which something does not apply count as 0 of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sums {
    sum: f64,
    squares: f64,
}

impl Sums {
    /// One more item.
    pub fn add(&mut self, value: f64) {
        self.sum += value;
        self.squares += value * value;
    }

    /// The total of `whole` items, of which `sampled` were drawn without putting any back (Cochran,
    /// Sampling Techniques, 1977, §2.6).
    pub fn total(&self, sampled: usize, whole: usize) -> Estimate {
        if sampled == 0 {
            return Estimate { value: 0.0, standard_error: (whole == 0).then_some(0.0) };
        }
        let (n, all) = (sampled as f64, whole as f64);
        let standard_error = if sampled >= whole {
            Some(0.0)
        } else if sampled < 2 {
            None
        } else {
            let variance = ((self.squares - self.sum * self.sum / n) / (n - 1.0)).max(0.0);
            Some(all * ((1.0 - n / all) * variance / n).sqrt())
        };
        Estimate { value: all * self.sum / n, standard_error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(values: impl IntoIterator<Item = f64>) -> Sums {
        let mut sums = Sums::default();
        values.into_iter().for_each(|value| sums.add(value));
        sums
    }

    #[test]
    fn all_is_exact_and_one_alone_has_no_error() {
        let exact = Estimate { value: 6.0, standard_error: Some(0.0) };
        assert_eq!(sums([1.0, 2.0, 3.0]).total(3, 3), exact);
        assert_eq!(sums([2.0]).total(1, 5), Estimate { value: 10.0, standard_error: None });
        assert_eq!(sums([]).total(0, 0).standard_error, Some(0.0));
    }

    #[test]
    fn the_error_is_that_of_the_text_book() {
        // Mean 2, variance 1 of 3 out of 12: 12 * sqrt((1 - 1/4) * 1 / 3) = 6.
        let total = sums([1.0, 2.0, 3.0]).total(3, 12);
        assert_eq!(total.value, 24.0);
        assert!((total.standard_error.unwrap() - 6.0).abs() < 1e-12, "{total:?}");
    }
}
