using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.Logging;
using Orchestrator.Core;
using Orchestrator.Inference.Gguf;

namespace Orchestrator.Inference.Store;

/// <summary>
/// Fetches one file into a <c>.part</c> file and resumes where an earlier attempt stopped, in this process or a
/// former one. It trusts the server in nothing: ranges may be ignored, lengths may be wrong, and the file may
/// change between attempts.
/// </summary>
internal sealed partial class ModelDownload(
    HttpClient http, ModelStoreOptions options, IStoreFiles files, TimeProvider time, ILogger logger)
{
    private const int BufferBytes = 1 << 20;
    private const int MaxRedirects = 10;
    private static readonly TimeSpan MaxDelay = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ProgressPeriod = TimeSpan.FromMilliseconds(100);

    /// <summary>Fetches until the part is complete.</summary>
    /// <returns>The SHA-256 that the hub states for the file, where it does.</returns>
    internal async Task<string?> FetchAsync(
        ModelSource source, string part, long? expected, IProgress<PullProgress>? progress, CancellationToken cancellation)
    {
        var state = new State(source, source.AddressOn(options.Endpoint), part, progress) { Expected = expected };
        var furthest = Length(part);
        for (var failures = 0; ;)
        {
            Exception cause;
            TimeSpan? wait = null;
            try
            {
                if (await AttemptAsync(state, cancellation))
                {
                    File.Delete(state.TagPath);
                    return state.StatedHash;
                }

                cause = new HttpRequestException("the answer didn't fit what was asked for");
            }
            catch (RetryLaterException e)
            {
                (cause, wait) = (e, e.After);
            }
            catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
            {
                cancellation.ThrowIfCancellationRequested();
                cause = e is OperationCanceledException
                    ? new HttpRequestException($"nothing came for {options.IdleTimeout.TotalSeconds:0.#} seconds")
                    : e;
            }

            // A server that ignores ranges starts over each time; only bytes never had before count as getting further.
            var length = Length(part);
            failures = length > furthest ? 1 : failures + 1;
            furthest = Math.Max(furthest, length);
            if (failures > options.Retries)
            {
                throw new OrchestratorException(
                    ErrorKind.Model,
                    $"{source} could not be fetched from {state.Address.Host}: {Describe(cause)} ({ByteSize.Format(length)}{(state.Total is { } total ? $" of {ByteSize.Format(total)}" : "")} are on disk).",
                    "Check the connection (HTTPS_PROXY and HF_ENDPOINT are respected) and pull again: it goes on where it stopped.",
                    cause);
            }

            var delay = wait ?? options.RetryDelay * Math.Pow(2, failures - 1);
            LogRetry(source.ToString(), cause.Message, failures, options.Retries);
            progress?.Report(new PullProgress(PullStage.Retrying, source.FileName, length, state.Total, 0));
            await Task.Delay(delay < MaxDelay ? delay : MaxDelay, time, cancellation);
        }
    }

    /// <summary>One request and its answer.</summary>
    /// <returns>Whether the part is complete.</returns>
    private async Task<bool> AttemptAsync(State state, CancellationToken cancellation)
    {
        using var idle = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var timer = time.CreateTimer(_ => Cancel(idle), null, options.IdleTimeout, Timeout.InfiniteTimeSpan);
        var offset = Length(state.Part);
        using var response = await SendAsync(state, offset, idle.Token);
        switch (response.StatusCode)
        {
            case HttpStatusCode.OK:
                offset = 0;
                state.Total = response.Content.Headers.ContentLength;
                RememberTag(state, response.Headers.ETag);
                break;
            case HttpStatusCode.PartialContent:
                var range = response.Content.Headers.ContentRange;
                if (range?.From != offset || (state.Total is { } before && range.Length is { } now && now != before))
                {
                    return Restart(state);
                }

                state.Total = range.Length ?? (offset + response.Content.Headers.ContentLength);
                break;
            case HttpStatusCode.RequestedRangeNotSatisfiable:
                // Either all is there already, or the part is not of this file.
                state.Total = response.Content.Headers.ContentRange?.Length;
                return (state.Total == offset && state.Total == (state.Expected ?? offset)) || Restart(state);
            default:
                throw Refusal(state, response);
        }

        Require(state, offset);
        await CopyAsync(state, offset, response, timer, idle.Token);
        var length = Length(state.Part);
        if (state.Total is { } all && length != all)
        {
            throw new HttpRequestException($"the server promised {all} bytes, and {length} came");
        }

        return true;
    }

    /// <summary>Follows redirects by hand: the token goes to the hub's host alone, and never over a connection less safe than the first.</summary>
    private async Task<HttpResponseMessage> SendAsync(State state, long offset, CancellationToken cancellation)
    {
        var address = state.Address;
        for (var hop = 0; hop <= MaxRedirects; hop++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            if (!string.IsNullOrEmpty(options.Token) && IsHub(address))
            {
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", options.Token);
            }

            if (offset > 0)
            {
                request.Headers.Range = new RangeHeaderValue(offset, null);
                if (File.Exists(state.TagPath) && EntityTagHeaderValue.TryParse(await File.ReadAllTextAsync(state.TagPath, cancellation), out var tag))
                {
                    // A file that was published anew meanwhile then comes whole.
                    request.Headers.IfRange = new RangeConditionHeaderValue(tag);
                }
            }

            var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            // The hub describes a large file on the redirect to where it is stored.
            if (IsHub(address) && response.Headers.TryGetValues("X-Linked-Etag", out var tags) &&
                tags.First().Trim('"') is { Length: 64 } hash && hash.All(char.IsAsciiHexDigit))
            {
                state.StatedHash = hash.ToLowerInvariant();
            }

            if (response.StatusCode is not (HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther
                or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect) || response.Headers.Location is not { } location)
            {
                return response;
            }

            response.Dispose();
            var next = new Uri(address, location);
            if (next.Scheme != Uri.UriSchemeHttps && (next.Scheme != Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps))
            {
                throw new OrchestratorException(
                    ErrorKind.Model, $"{address.Host} redirects to {next.Scheme}://{next.Host}, which isn't safe.", "Check HF_ENDPOINT.");
            }

            address = next;
        }

        throw new OrchestratorException(ErrorKind.Model, $"{state.Address.Host} redirects without end.", "Check HF_ENDPOINT.");
    }

    private async Task CopyAsync(State state, long offset, HttpResponseMessage response, ITimer timer, CancellationToken cancellation)
    {
        await using var body = await response.Content.ReadAsStreamAsync(cancellation);
        var output = OnDisk(state, offset, () => files.OpenAt(state.Part, offset));
        var buffer = new byte[BufferBytes];
        var (begun, reported, written) = (time.GetTimestamp(), long.MinValue, offset);
        try
        {
            while (true)
            {
                timer.Change(options.IdleTimeout, Timeout.InfiniteTimeSpan);
                var read = await body.ReadAsync(buffer, cancellation);
                if (read == 0)
                {
                    break;
                }

                var limit = state.Expected ?? state.Total;
                if (limit is { } most && written + read > most)
                {
                    throw WrongSize(state, $"more than {most}");
                }

                OnDisk(state, written, () =>
                {
                    output.Write(buffer, 0, read);
                    return true;
                });
                written += read;
                var now = time.GetTimestamp();
                if (reported == long.MinValue || time.GetElapsedTime(reported, now) >= ProgressPeriod)
                {
                    reported = now;
                    Report(state, written, offset, time.GetElapsedTime(begun, now));
                }
            }

            Report(state, written, offset, time.GetElapsedTime(begun));
        }
        finally
        {
            OnDisk(state, written, () =>
            {
                (output as FileStream)?.Flush(flushToDisk: true);
                output.Dispose();
                return true;
            });
        }
    }

    private static void Report(State state, long written, long offset, TimeSpan elapsed) => state.Progress?.Report(new PullProgress(
        PullStage.Downloading, Path.GetFileName(state.Source.FileName), written, state.Total, elapsed > TimeSpan.Zero ? (written - offset) / elapsed.TotalSeconds : 0));

    /// <summary>Refuses a file of another size than the catalogue's, and one that the disk has no room for, before its first byte.</summary>
    private void Require(State state, long offset)
    {
        if (state.Total is not { } total)
        {
            return;
        }

        if (state.Expected is { } expected && expected != total)
        {
            throw WrongSize(state, $"{total}");
        }

        var free = files.FreeBytes(Path.GetDirectoryName(state.Part)!);
        // What the part already takes beyond the offset is freed before anything is written.
        free += Length(state.Part) - offset;
        if (total - offset + options.SpareBytes > free)
        {
            throw new OrchestratorException(
                ErrorKind.Model,
                $"{state.Source} needs {ByteSize.Format(total - offset)} more on disk, but only {ByteSize.Format(free)} are free in {Path.GetDirectoryName(state.Part)}.",
                "Free some space, or set Orchestrator:Models:Root to a folder on another disk.");
        }
    }

    private T OnDisk<T>(State state, long written, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException)
        {
            // ENOSPC and EDQUOT; ERROR_HANDLE_DISK_FULL and ERROR_DISK_FULL; and EFBIG, which .NET takes for an argument's fault.
            var full = e is ArgumentOutOfRangeException
                || (OperatingSystem.IsWindows() ? e.HResult is unchecked((int)0x80070027) or unchecked((int)0x80070070) : e.HResult is 28 or 122);
            throw new OrchestratorException(
                ErrorKind.Model,
                full
                    ? $"The disk is full: {state.Part} could not grow beyond {ByteSize.Format(written)}{(state.Total is { } total ? $" of {ByteSize.Format(total)}" : "")}."
                    : $"{state.Part} could not be written: {e.Message}",
                full ? "Free some space and pull again: it goes on where it stopped." : "Check that you may write there, or set Orchestrator:Models:Root to another folder.",
                e);
        }
    }

    private OrchestratorException WrongSize(State state, string size) => new(
        ErrorKind.Model,
        $"{state.Source} has {size} bytes at {state.Address.Host}, but {state.Expected ?? state.Total} were expected: it is not the file that the catalogue describes.",
        "If the file was published anew, pull it by its address and check it yourself.");

    private void RememberTag(State state, EntityTagHeaderValue? tag) => OnDisk(state, 0, () =>
    {
        if (tag is { IsWeak: false })
        {
            File.WriteAllText(state.TagPath, tag.ToString());
        }
        else
        {
            File.Delete(state.TagPath);
        }

        return true;
    });

    private bool Restart(State state)
    {
        OnDisk(state, 0, () =>
        {
            files.OpenAt(state.Part, 0).Dispose();
            return true;
        });
        return false;
    }

    private Exception Refusal(State state, HttpResponseMessage response)
    {
        var status = (int)response.StatusCode;
        var (source, host) = (state.Source, state.Address.Host);
        switch (response.StatusCode)
        {
            case HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden:
                return new OrchestratorException(
                    ErrorKind.Model,
                    $"{host} refuses access to {source} ({status}).",
                    string.IsNullOrEmpty(options.Token)
                        ? $"Accept the model's licence on its page{(source.Repo is null ? "" : $" ({options.Endpoint.AbsoluteUri.TrimEnd('/')}/{source.Repo})")}, create an access token there, and set it as HF_TOKEN."
                        : "The token in HF_TOKEN doesn't suffice: check that it may read this repository and that you accepted the model's licence.");
            case HttpStatusCode.NotFound or HttpStatusCode.Gone:
                return new OrchestratorException(
                    ErrorKind.Model, $"{host} has no {source} ({status}).", "Check the spelling, upper and lower case included; `orchestrator model list --all` shows the known ones.");
            case HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError:
                var after = response.Headers.RetryAfter;
                return new RetryLaterException($"the server answered {status}", after?.Delta ?? (after?.Date is { } date ? Later(date) : null));
            default:
                return new OrchestratorException(ErrorKind.Model, $"{host} answered {status} to the request for {source}.", "Check HF_ENDPOINT and the address.");
        }
    }

    private TimeSpan Later(DateTimeOffset date)
    {
        var wait = date - time.GetUtcNow();
        return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
    }

    private bool IsHub(Uri address) =>
        Uri.Compare(address, options.Endpoint, UriComponents.SchemeAndServer, UriFormat.SafeUnescaped, StringComparison.OrdinalIgnoreCase) == 0;

    private static string Describe(Exception cause) =>
        cause.InnerException is { } inner && !cause.Message.Contains(inner.Message, StringComparison.Ordinal) ? $"{cause.Message} ({inner.Message})" : cause.Message;

    private static long Length(string path) => File.Exists(path) ? new FileInfo(path).Length : 0;

    private static void Cancel(CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The attempt ended while the timer fired.
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Fetching {Source}: {Cause}; retry {Failures} of {Retries}")]
    private partial void LogRetry(string source, string cause, int failures, int retries);

    private sealed record State(ModelSource Source, Uri Address, string Part, IProgress<PullProgress>? Progress)
    {
        /// <summary>Where the server's name for this version of the file is kept between processes.</summary>
        internal string TagPath => Part + ".etag";

        internal long? Expected { get; init; }

        internal long? Total { get; set; }

        internal string? StatedHash { get; set; }
    }

    private sealed class RetryLaterException(string message, TimeSpan? after) : Exception(message)
    {
        internal TimeSpan? After => after;
    }
}
