//! Which content coding a request accepts.

use hyper::header::{self, HeaderMap};

/// A weight in thousandths.
type Weight = u16;

/// Whether an answer to a request with these headers may be compressed with gzip: `Accept-Encoding` has to name it, or everything, and not prefer
/// what is not encoded.
pub(super) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let (mut gzip, mut any, mut identity) = (None, None, None);
    for value in headers.get_all(header::ACCEPT_ENCODING) {
        for one in value.to_str().unwrap_or_default().split(',') {
            let (coding, weight) = match one.split_once(';') {
                Some((coding, parameter)) => (coding, weight(parameter).unwrap_or_default()),
                None => (one, 1000),
            };
            match coding.trim().to_ascii_lowercase().as_str() {
                "gzip" | "x-gzip" => gzip = Some(weight),
                "*" => any = Some(weight),
                "identity" => identity = Some(weight),
                _ => {}
            }
        }
    }
    let gzip: Weight = gzip.or(any).unwrap_or_default();
    gzip > 0 && gzip >= identity.unwrap_or_default()
}

/// A weight: `q=` and a number of up to three decimal places, 1 at most.
fn weight(parameter: &str) -> Option<Weight> {
    let (name, value) = parameter.trim().split_once('=')?;
    if !name.eq_ignore_ascii_case("q") {
        return None;
    }
    let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !matches!(whole, "0" | "1") || decimals.len() > 3 || !is_number(decimals) {
        return None;
    }
    let weight = format!("{whole}{decimals:0<3}").parse().ok()?;
    (weight <= 1000).then_some(weight)
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn accepts(values: &[&'static str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
        }
        accepts_gzip(&headers)
    }

    #[test]
    fn gzip_is_accepted_where_it_is_named_with_a_weight() {
        for values in [
            &["gzip, deflate, br, zstd"][..],
            &["GZip"],
            &["x-gzip"],
            &["br", "gzip"],
            &["deflate,gzip;q=0.001"],
            &["gzip ; q=1.000"],
            &["gzip;Q=0.5"],
            &["*"],
            &["br, *;q=0.1"],
            &["gzip;q=0.5, *;q=0"],
            &["identity;q=0.5, gzip"],
            &["identity, gzip"],
        ] {
            assert!(accepts(values), "{values:?}");
        }
        for values in [
            &[][..],
            &[""],
            &["br"],
            &["identity"],
            &["gzip;q=0"],
            &["gzip;q=0.000, br"],
            &["gzip;q=0, *"],
            &["*;q=0"],
            &["identity, gzip;q=0.5"],
            &["gzipped"],
            &["x, agzip"],
            &["gzip;q=x"],
            &["gzip;q=1.001"],
            &["gzip;q=2"],
            &["gzip;q=0.0001"],
            &["gzip;level=9"],
            &["gzip;q=1;q=0"],
        ] {
            assert!(!accepts(values), "{values:?}");
        }
    }
}
