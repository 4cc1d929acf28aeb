using Microsoft.Extensions.AI;

namespace Orchestrator.Inference.Templates;

/// <summary>Splits an answer into reasoning and the rest as it comes. Not thread-safe.</summary>
public sealed class ReasoningReader
{
    private readonly ReasoningFormat _format;
    private string _held = "";
    private bool _reasoning;
    private bool _afterMarker;

    internal ReasoningReader(ReasoningFormat format, bool within)
    {
        _format = format;
        _reasoning = within;
        _afterMarker = _reasoning;
        Found = _reasoning;
    }

    /// <summary>Whether there was reasoning, or a marker: the answer's text is then not all that was written.</summary>
    public bool Found { get; private set; }

    /// <summary>Whether there was reasoning, and it came to its end.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Takes what the model wrote next.</summary>
    /// <param name="text">The text; it may end within a marker.</param>
    /// <returns><see cref="TextReasoningContent"/> and <see cref="TextContent"/>, none of them empty.</returns>
    public IReadOnlyList<AIContent> Append(string text) => Take(_held + text, final: false);

    /// <summary>Takes what was held back when no more text comes.</summary>
    /// <returns>What is left.</returns>
    public IReadOnlyList<AIContent> Flush() => Take(_held, final: true);

    private List<AIContent> Take(string text, bool final)
    {
        var contents = new List<AIContent>();
        var at = 0;
        while (Next(text, at) is var (index, marker))
        {
            Emit(text[at..index], contents);
            HasEnded |= _reasoning && !marker.Reasoning;
            _reasoning = marker.Reasoning;
            _afterMarker = true;
            Found = true;
            at = index + marker.Text.Length;
        }

        var end = final ? text.Length : text.Length - Undecided(text.AsSpan(at));
        Emit(text[at..end], contents);
        _held = text[end..];
        return contents;
    }

    private (int Index, ReasoningFormat.Marker Marker)? Next(string text, int from)
    {
        (int Index, ReasoningFormat.Marker Marker)? first = null;
        foreach (var marker in _format.Markers)
        {
            var index = text.IndexOf(marker.Text, from, StringComparison.Ordinal);
            if (index >= 0 && (first is null || index < first.Value.Index))
            {
                first = (index, marker);
            }
        }

        return first;
    }

    /// <summary>How many characters at the end may be the beginning of a marker.</summary>
    private int Undecided(ReadOnlySpan<char> text)
    {
        var most = 0;
        foreach (var marker in _format.Markers)
        {
            for (var length = Math.Min(marker.Text.Length - 1, text.Length); length > most; length--)
            {
                if (text.EndsWith(marker.Text.AsSpan(0, length), StringComparison.Ordinal))
                {
                    most = length;
                }
            }
        }

        return most;
    }

    private void Emit(string text, List<AIContent> contents)
    {
        if (_afterMarker)
        {
            // The blank lines around reasoning belong to its tags.
            text = text.TrimStart('\n');
        }

        if (text.Length > 0)
        {
            _afterMarker = false;
            contents.Add(_reasoning ? new TextReasoningContent(text) : new TextContent(text));
        }
    }
}
