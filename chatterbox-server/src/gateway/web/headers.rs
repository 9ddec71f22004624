//! What every answer tells the browser: nothing foreign is loaded, embedded, or guessed.

use chatterbox_address::HostPort;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};

/// What is the same for all.
static FIXED: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Adds the headers. The host is that of the request, after it was checked.
pub(super) fn secure(headers: &mut HeaderMap, host: Option<&HostPort>, is_tls: bool) {
    for (name, value) in &FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::try_from(policy(host, is_tls)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
}

/// Some browsers do not count WebSockets of the same host as `'self'`.
fn policy(host: Option<&HostPort>, is_tls: bool) -> String {
    let sockets = match host {
        None => String::new(),
        Some(host) if is_tls => format!(" wss://{host}"),
        // A proxy may have added TLS.
        Some(host) => format!(" ws://{host} wss://{host}"),
    };
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'{sockets}; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_loads_nothing_foreign_and_is_embedded_nowhere() {
        let mut headers = HeaderMap::new();
        secure(&mut headers, Some(&"[::1]:8080".parse().unwrap()), false);
        let mut all: Vec<_> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        all.sort();
        assert_eq!(
            all,
            [
                "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                 connect-src 'self' ws://[::1]:8080 wss://[::1]:8080; base-uri 'none'; form-action 'self'; \
                 frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
                "cross-origin-opener-policy: same-origin",
                "cross-origin-resource-policy: same-origin",
                "referrer-policy: no-referrer",
                "x-content-type-options: nosniff",
            ]
        );
        assert!(
            policy(Some(&"chat.example".parse().unwrap()), true)
                .contains("'self' wss://chat.example;")
        );
        assert!(policy(None, true).contains("connect-src 'self';"));
    }
}
