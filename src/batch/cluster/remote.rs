//! Object stores of the clouds, each with what its own environment variables say.

use std::{sync::Arc, time::Duration};

use object_store::{
    BackoffConfig, ClientConfigKey, ClientOptions, ObjectStore, RetryConfig,
    aws::{AmazonS3Builder, AmazonS3ConfigKey},
    azure::{AzureConfigKey, MicrosoftAzureBuilder},
    gcp::{GoogleCloudStorageBuilder, GoogleConfigKey},
    path::Path as Key,
};
use tokio_rustls::rustls::crypto::ring;

/// How a store is written, for those who wrote something else.
pub const WRITTEN: &str =
    "a store is file:///directory, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix";

/// The store of `s3://bucket/prefix`, `gs://…` or `az://…`, and the prefix.
///
/// # Errors
/// In words: it is none of them, or what its variables say cannot be used.
pub fn open(url: &str) -> Result<(Arc<dyn ObjectStore>, Key), String> {
    let (scheme, rest) = url.split_once("://").ok_or(WRITTEN)?;
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    // TLS that this program's other half is built with; a second call changes nothing.
    let _ = ring::default_provider().install_default();
    let store = match scheme {
        "s3" => {
            let of = AmazonS3Builder::from_env().with_bucket_name(bucket);
            let http = of.get_config_value(&AmazonS3ConfigKey::Client(ClientConfigKey::AllowHttp));
            let of = of.with_client_options(client(http)).with_retry(retry());
            of.build().map(|store| Arc::new(store) as Arc<dyn ObjectStore>)
        }
        "gs" => {
            let of = GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket);
            let http = of.get_config_value(&GoogleConfigKey::Client(ClientConfigKey::AllowHttp));
            let of = of.with_client_options(client(http)).with_retry(retry());
            of.build().map(|store| Arc::new(store) as _)
        }
        "az" => {
            let of = MicrosoftAzureBuilder::from_env().with_container_name(bucket);
            let http = of.get_config_value(&AzureConfigKey::Client(ClientConfigKey::AllowHttp));
            let of = of.with_client_options(client(http)).with_retry(retry());
            of.build().map(|store| Arc::new(store) as _)
        }
        _ => return Err(WRITTEN.to_owned()),
    };
    let store = store.map_err(|error| error.to_string())?;
    Ok((store, Key::parse(prefix).map_err(|error| error.to_string())?))
}

fn client(allow_http: Option<String>) -> ClientOptions {
    ClientOptions::default()
        .with_connect_timeout(Duration::from_secs(5))
        .with_timeout(Duration::from_secs(60))
        .with_allow_http(allow_http.as_deref() == Some("true"))
}

fn retry() -> RetryConfig {
    let backoff = BackoffConfig {
        init_backoff: Duration::from_millis(100),
        max_backoff: Duration::from_secs(10),
        base: 2.0,
    };
    RetryConfig { backoff, max_retries: 10, retry_timeout: Duration::from_secs(120) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_store_is_told() {
        for url in ["mail", "ftp://host/mail", "://", "S3://mail"] {
            assert_eq!(open(url).map(drop), Err(WRITTEN.to_owned()), "{url}");
        }
        for url in ["s3://mail/in", "gs://mail", "az://mail/in/"] {
            // Whether the variables of this machine name an account is not asked.
            assert_ne!(open(url).map(drop), Err(WRITTEN.to_owned()), "{url}");
        }
    }
}
