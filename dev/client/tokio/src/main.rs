//! tokio-postgres over OpenSSL.  The crate that ties them together is in no package of Debian's.

use std::env;
use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use openssl::ssl::{SslConnector, SslFiletype, SslMethod};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

type Error = Box<dyn std::error::Error + Send + Sync>;

struct Connect(SslConnector, String);

struct Stream(SslStream<TcpStream>);

impl TlsConnect<TcpStream> for Connect {
    type Stream = Stream;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, Error>> + Send>>;

    fn connect(self, stream: TcpStream) -> Self::Future {
        Box::pin(async move {
            let mut stream = SslStream::new(self.0.configure()?.into_ssl(&self.1)?, stream)?;

            Pin::new(&mut stream).connect().await?;
            Ok(Stream(stream))
        })
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl TlsStream for Stream {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

async fn run() -> Result<(), Error> {
    let host = env::var("PGHOST")?;
    let certificate = env::var("PGSSLCERT")?;
    let mut tls = SslConnector::builder(SslMethod::tls_client())?;

    tls.set_ca_file(env::var("PGSSLROOTCERT")?)?;
    if Path::new(&certificate).exists() {
        tls.set_certificate_chain_file(&certificate)?;
        tls.set_private_key_file(env::var("PGSSLKEY")?, SslFiletype::PEM)?;
    }

    let stream = TcpStream::connect((host.as_str(), env::var("PGPORT")?.parse()?)).await?;
    let mut config = tokio_postgres::Config::new();
    config
        .user(&env::var("PGUSER")?)
        .password(env::var("PGPASSWORD")?)
        .dbname(&env::var("PGDATABASE")?)
        .ssl_mode(tokio_postgres::config::SslMode::Require);
    let (client, connection) = config.connect_raw(stream, Connect(tls.build(), host)).await?;
    let task = tokio::spawn(connection);

    let row = client.query_one("SELECT 1", &[]).await?;
    if row.get::<_, i32>(0) != 1 {
        return Err("no row".into());
    }
    drop(client);
    task.await??;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    if let Err(error) = run().await {
        let mut cause: Option<&dyn std::error::Error> = Some(&*error);

        while let Some(e) = cause {
            eprintln!("{}", e);
            cause = e.source();
        }
        std::process::exit(1);
    }
    println!("in");
}
