//! Which rows of a carrier hold for a route.

use super::{CarrierLimit, LimitKind};
use crate::model::{Day, Interface, LimitSource, SenderType, WireLimit};

const SENDERS: [SenderType; 4] =
    [SenderType::Person, SenderType::LongCode, SenderType::TollFree, SenderType::ShortCode];

pub(super) fn limits_for(
    rows: &[CarrierLimit],
    interface: Interface,
    sender: Option<SenderType>,
    on: Day,
) -> Vec<(&CarrierLimit, WireLimit)> {
    let mut chosen: Vec<&CarrierLimit> = Vec::new();
    match sender {
        Some(sender) => chosen = exact(rows, interface, sender, on),
        None => {
            for sender in SENDERS {
                for row in exact(rows, interface, sender, on) {
                    if !chosen.contains(&row) {
                        chosen.push(row);
                    }
                }
            }
        }
    }
    // Rows of one counting are comparable: the strictest alone says all.
    let strictest = |row: &&CarrierLimit| {
        let position = chosen.iter().position(|other| other == row);
        let best = chosen
            .iter()
            .enumerate()
            .filter(|(_, other)| other.counting == row.counting)
            .min_by_key(|(at, other)| (other.bytes, *at));
        best.map(|(at, _)| at) == position
    };
    chosen
        .iter()
        .copied()
        .filter(strictest)
        .map(|row| {
            let limit = WireLimit {
                bytes: row.bytes,
                counting: row.counting,
                source: LimitSource::Carrier,
            };
            (row, limit)
        })
        .collect()
}

/// The rows that match a route with the most conditions, gateway rows before handset rows.
fn exact(
    rows: &[CarrierLimit],
    interface: Interface,
    sender: SenderType,
    on: Day,
) -> Vec<&CarrierLimit> {
    for kind in [LimitKind::Gateway, LimitKind::Handset] {
        let matching = |row: &&CarrierLimit| {
            row.kind == kind
                && row.holds(on)
                && row.interface.is_none_or(|own| own == interface)
                && row.sender.is_none_or(|own| own == sender)
        };
        let conditions = |row: &CarrierLimit| {
            usize::from(row.interface.is_some()) + usize::from(row.sender.is_some())
        };
        let Some(most) = rows.iter().filter(matching).map(conditions).max() else { continue };
        return rows.iter().filter(matching).filter(|row| conditions(row) == most).collect();
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::Counting, profile::carrier::Carrier};

    const TODAY: Day = Day { year: 2026, month: 11, day: 25 };

    fn carrier() -> Carrier {
        let mut text = String::from("title = 'T'\ncountry = 'us'\nmcc_mnc = ['311-480']\n");
        for (row, bytes) in [
            ("kind = 'handset'", "1258291"),
            ("kind = 'gateway'\nsender = 'long-code'", "'1M'"),
            ("kind = 'gateway'\nsender = 'toll-free'", "'600k'"),
            ("kind = 'gateway'\nsender = 'short-code'", "1200000"),
            ("kind = 'gateway'\nsender = 'short-code'\ncounted = 'mime-base64'", "1680000"),
            ("kind = 'gateway'\nsender = 'short-code'\ninterface = 'mm4'", "'500Ki'"),
        ] {
            text +=
                &format!("[[limits]]\n{row}\nbytes = {bytes}\nsource = 's'\ndate = '2026-11'\n");
        }
        Carrier::parse("us-test", &text).unwrap()
    }

    fn bytes(interface: Interface, sender: Option<SenderType>) -> Vec<u64> {
        carrier().limits_for(interface, sender, TODAY).iter().map(|(_, l)| l.bytes.get()).collect()
    }

    #[test]
    fn exact_rows_win_over_general_rows() {
        use Interface::{Mm1, Mm4, Mm7};
        assert_eq!(bytes(Mm7, Some(SenderType::LongCode)), [1_000_000]);
        assert_eq!(bytes(Mm7, Some(SenderType::TollFree)), [600_000]);
        assert_eq!(bytes(Mm7, Some(SenderType::ShortCode)), [1_200_000, 1_680_000]);
        assert_eq!(bytes(Mm4, Some(SenderType::ShortCode)), [512_000]);
        assert_eq!(bytes(Mm1, Some(SenderType::Person)), [1_258_291], "no gateway row: handset");
    }

    #[test]
    fn without_a_sender_the_strictest_holds_for_each_counting() {
        let carrier = carrier();
        let limits = carrier.limits_for(Interface::Mm7, None, TODAY);
        let found: Vec<(u64, Counting)> =
            limits.iter().map(|(_, l)| (l.bytes.get(), l.counting)).collect();
        assert_eq!(found, [(600_000, Counting::Interface), (1_680_000, Counting::MimeBase64)]);
        assert!(limits.iter().all(|(_, l)| l.source == LimitSource::Carrier));
    }

    #[test]
    fn rows_hold_from_a_day_until_a_day() {
        let text = "title = 'T'\ncountry = 'us'\nmcc_mnc = []\n\
            [[limits]]\nkind = 'gateway'\nbytes = '600k'\nuntil = '2026-12-31'\nsource = 's'\n\
            date = '2026-11'\n[[limits]]\nkind = 'gateway'\nbytes = '1M'\nfrom = '2027-01-01'\n\
            source = 's'\ndate = '2026-11'\n";
        let carrier = Carrier::parse("us-test", text).unwrap();
        let on = |day: &str| -> Vec<u64> {
            let limits = carrier.limits_for(Interface::Mm1, None, day.parse().unwrap());
            limits.iter().map(|(_, l)| l.bytes.get()).collect()
        };
        assert_eq!(on("2026-12-31"), [600_000]);
        assert_eq!(on("2027-01-01"), [1_000_000]);
    }
}
