using System.Text;
using System.Text.Json;
using Orchestrator.Core;
using Orchestrator.Core.Runs;

namespace Orchestrator.Runs.Logs;

/// <summary>
/// Reads a run's log, also that of a run which is being written or was killed: what follows the last complete event
/// is left out.
/// </summary>
public static class RunLogReader
{
    /// <summary>Reads a log.</summary>
    /// <param name="path">The file <c>events.jsonl</c>.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <returns>The log.</returns>
    /// <exception cref="OrchestratorException">
    /// There is no such file, it is of a newer format, or it is damaged before its end; the message names the line.
    /// </exception>
    public static async Task<RunLog> ReadAsync(string path, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        byte[] bytes;
        try
        {
            // The writer may be at work: neither is to keep the other out.
            await using var file = new FileStream(
                path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1, FileOptions.Asynchronous);
            var content = new MemoryStream();
            await file.CopyToAsync(content, cancellationToken).ConfigureAwait(false);
            bytes = content.ToArray();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OrchestratorException(
                ErrorKind.Usage, $"The run's log '{path}' cannot be read: {e.Message}", "Check the run's id and the runs folder.", e);
        }

        return Parse(bytes, path);
    }

    /// <summary>Reads a log from memory.</summary>
    /// <param name="bytes">The file's content.</param>
    /// <param name="name">What errors call it.</param>
    /// <returns>The log.</returns>
    /// <exception cref="OrchestratorException">It is of a newer format, or damaged before its end.</exception>
    public static RunLog Parse(ReadOnlySpan<byte> bytes, string name)
    {
        var events = new List<RunEvent>();
        var unrecognised = new List<string>();
        var position = 0;
        var expected = 0L;
        while (position < bytes.Length)
        {
            var length = bytes[position..].IndexOf((byte)'\n');
            if (length < 0)
            {
                // Without its newline an event was not written whole, even where it happens to parse.
                return new RunLog(events, unrecognised, position, Torn: true);
            }

            var line = bytes.Slice(position, length);
            try
            {
                Add(line, expected, events, unrecognised);
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
            {
                // A power cut may leave a tail of the right length and the wrong content.
                if (bytes[(position + length + 1)..].IndexOf((byte)'\n') < 0)
                {
                    return new RunLog(events, unrecognised, position, Torn: true);
                }

                throw new OrchestratorException(
                    ErrorKind.Run,
                    $"The run's log '{name}' is damaged in line {expected + 1}: {e.Message}",
                    "Its first lines can still be read; keep a copy, and delete the run if it is not needed.",
                    e);
            }

            expected++;
            position += length + 1;
        }

        return new RunLog(events, unrecognised, position, Torn: false);
    }

    private static void Add(
        ReadOnlySpan<byte> line, long expected, List<RunEvent> events, List<string> unrecognised)
    {
        var (sequence, kind, version) = Head(line);
        if (sequence != expected)
        {
            throw new JsonException($"It should have the number {expected} and has {sequence}.");
        }

        if (version > RunLogFormat.Version)
        {
            throw new OrchestratorException(
                ErrorKind.Run,
                $"The run was recorded in format {version}; this version reads formats up to {RunLogFormat.Version}.",
                "Read it with a newer version of orchestrator.");
        }

        if (RunLogLines.Kinds.Contains(kind))
        {
            events.Add(RunLogLines.Read(line));
        }
        else
        {
            unrecognised.Add(Encoding.UTF8.GetString(line));
        }
    }

    private static (long Sequence, string Kind, int Version) Head(ReadOnlySpan<byte> line)
    {
        var reader = new Utf8JsonReader(line);
        using var document = JsonDocument.ParseValue(ref reader);
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object
            || !root.TryGetProperty("seq", out var sequence)
            || !root.TryGetProperty("type", out var kind)
            || kind.GetString() is not { } name)
        {
            throw new JsonException("It is not an event.");
        }

        var version = root.TryGetProperty("formatVersion", out var format) && name == "run.started" ? format.GetInt32() : 0;
        return (sequence.GetInt64(), name, version);
    }
}
