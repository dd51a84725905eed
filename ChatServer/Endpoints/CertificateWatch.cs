using System.Net.Security;
using System.Security.Cryptography;

namespace ChatServer.Endpoints;

/// <summary>
/// The certificate that new TLS handshakes get: that of CERT_FILE and KEY_FILE as they are now. The files are read every
/// <see cref="EndpointOptions.CertificateCheckInterval"/>, so links that are swapped (as Kubernetes does) are noticed like files that are
/// written. One that can't be used changes nothing. Connections that are open keep what they have.
/// </summary>
internal sealed partial class CertificateWatch(EndpointOptions options, TimeProvider time, ILogger<CertificateWatch> logger)
    : BackgroundService
{
    private volatile SslStreamCertificateContext? _current;
    private string _seen = "";

    /// <summary>What handshakes get; read the first time when it is first asked for.</summary>
    /// <exception cref="CryptographicException">The first one can't be used.</exception>
    public SslStreamCertificateContext Current(PemFiles files)
    {
        if (_current is null)
        {
            _seen = StateOf(files);
            _current = Load(files);
        }

        return _current;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Certificate is not { } files)
        {
            return;
        }

        using var timer = new PeriodicTimer(EndpointOptions.CertificateCheckInterval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            Look(files);
        }
    }

    private static SslStreamCertificateContext Load(PemFiles files) =>
        SslStreamCertificateContext.Create(files.Load(), files.LoadChain(), offline: true);

    /// <summary>What the files hold, or why they can't be read, in short.</summary>
    private static string StateOf(PemFiles files)
    {
        try
        {
            return Digest(files.CertificateFile) + Digest(files.KeyFile);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return exception.Message;
        }

        static string Digest(string file) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)));
    }

    private void Look(PemFiles files)
    {
        // Before they are read for use: what is written meanwhile differs from this at the next look.
        var state = StateOf(files);
        if (state == _seen)
        {
            return;
        }

        _seen = state;
        try
        {
            // Half of it may have been written: the rest is another change.
            if (files.WhatIsWrong() is var (name, problem))
            {
                Log.NotUsable(logger, name, problem);
                return;
            }

            // The old one is not disposed of: handshakes under way have it.
            _current = Load(files);
            Log.Renewed(logger, _current.TargetCertificate.Thumbprint, _current.TargetCertificate.NotAfter.ToUniversalTime());
        }
        catch (Exception exception)
            when (exception is CryptographicException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            // They have changed again since they were checked.
            Log.NotUsable(logger, "CERT_FILE", exception.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1320, LogLevel.Information, 
            "CERT_FILE and KEY_FILE have changed: new connections get {Thumbprint}, good until {End:u}.")]
        public static partial void Renewed(ILogger logger, string thumbprint, DateTime end);

        [LoggerMessage(1321, LogLevel.Warning,
            "CERT_FILE and KEY_FILE have changed and can't be used: new connections get the certificate from before, until the files change "
            + "again. {Setting} {Why}")]
        public static partial void NotUsable(ILogger logger, string setting, string why);
    }
}
