using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Orchestrator.Inference.Tests.Store;

/// <summary>What a client asked for.</summary>
public sealed record HubRequest(string Path, IReadOnlyDictionary<string, string> Headers)
{
    /// <summary>The first byte that the client wants.</summary>
    public int Offset => Headers.TryGetValue("Range", out var range)
        ? int.Parse(range["bytes=".Length..].TrimEnd('-'), CultureInfo.InvariantCulture)
        : 0;
}

/// <summary>What the server does: answers may lie about their length, end early, or never end.</summary>
public sealed record HubReply(int Status, byte[] Body)
{
    public Dictionary<string, string> Headers { get; init; } = [];

    public long? DeclaredLength { get; init; }

    public bool NoLength { get; init; }

    public int? DropAfter { get; init; }

    public bool Hang { get; init; }

    public HubReply With(string header, string value) => this with { Headers = new(Headers) { [header] = value } };

    public static HubReply Error(int status) => new(status, "no"u8.ToArray());

    /// <summary>A well-behaved answer to a request for a file.</summary>
    public static HubReply File(HubRequest request, byte[] file) => request.Offset switch
    {
        0 => new HubReply(200, file),
        var offset when offset >= file.Length => new HubReply(416, []) { Headers = { ["Content-Range"] = $"bytes */{file.Length}" } },
        var offset => new HubReply(206, file[offset..]) { Headers = { ["Content-Range"] = $"bytes {offset}-{file.Length - 1}/{file.Length}" } },
    };
}

/// <summary>A real HTTP server on this machine whose every answer is scripted, byte by byte.</summary>
public sealed class HubServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;

    public HubServer(Func<HubRequest, HubReply> reply)
    {
        Reply = reply;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Func<HubRequest, HubReply> Reply { get; set; }

    public ConcurrentQueue<HubRequest> Requests { get; } = new();

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true)
            {
                serving.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var _ = client;
        client.LingerState = new LingerOption(true, 1);
        try
        {
            var stream = client.GetStream();
            using var reader = new StreamReader(stream, Encoding.ASCII, false, 1024, leaveOpen: true);
            var path = (await reader.ReadLineAsync(_stop.Token))?.Split(' ')[1] ?? "";
            var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            while (await reader.ReadLineAsync(_stop.Token) is { Length: > 0 } line)
            {
                var colon = line.IndexOf(':', StringComparison.Ordinal);
                headers[line[..colon]] = line[(colon + 1)..].Trim();
            }

            var request = new HubRequest(path, headers);
            Requests.Enqueue(request);
            var reply = Reply(request);
            var head = new StringBuilder($"HTTP/1.1 {reply.Status} X\r\nConnection: close\r\n");
            if (!reply.NoLength)
            {
                head.Append(CultureInfo.InvariantCulture, $"Content-Length: {reply.DeclaredLength ?? reply.Body.Length}\r\n");
            }

            foreach (var (name, value) in reply.Headers)
            {
                head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
            }

            await stream.WriteAsync(Encoding.ASCII.GetBytes(head.Append("\r\n").ToString()), _stop.Token);
            await stream.WriteAsync(reply.Body.AsMemory(0, Math.Min(reply.DropAfter ?? int.MaxValue, reply.Body.Length)), _stop.Token);
            await stream.FlushAsync(_stop.Token);
            if (reply.Hang)
            {
                await Task.Delay(Timeout.Infinite, _stop.Token);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or SocketException)
        {
            // The client went away, or the test is over.
        }
    }
}
