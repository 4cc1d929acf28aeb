using System.Globalization;
using System.Text;
using Orchestrator.Core.Text;
using Spectre.Console.Rendering;

namespace Orchestrator.Console.Terminal;

/// <summary>
/// Writes a text as it comes, word by word, and breaks its lines between words. A word that is longer than a line is cut.
/// Ideographs need no space between them to be broken.
/// </summary>
/// <param name="interaction">Where to write.</param>
/// <param name="width">Columns of a line; <see cref="Unlimited"/> leaves the text as it is.</param>
/// <param name="beginLine">Writes what stands before each line but the first; null for nothing.</param>
internal sealed class StreamWrap(IInteraction interaction, int width, Action? beginLine = null)
{
    public const int Unlimited = int.MaxValue;

    // The most that one can take; how many it does depends on where it stands.
    private const int TabWidth = 8;

    private readonly StringBuilder _gap = new();
    private readonly StringBuilder _word = new();
    private int _column;

    /// <summary>Adds to the text.</summary>
    public void Append(string text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            switch (rune.Value)
            {
                case '\n':
                    PutWord();
                    PutGap();
                    NewLine();
                    break;
                case ' ' or '\t':
                    PutWord();
                    _gap.Append((char)rune.Value);
                    break;
                default:
                    if (IsIdeograph(rune))
                    {
                        PutWord();
                    }

                    _word.Append(rune.ToString());
                    break;
            }
        }
    }

    /// <summary>Ends the text and its last line; another may follow.</summary>
    public void End()
    {
        PutWord();
        PutGap();
        interaction.WriteLine();
        _column = 0;
    }

    private void PutWord()
    {
        if (_word.Length == 0)
        {
            return;
        }

        // Before it is measured: escapes take no column.
        var word = TerminalText.Sanitize(_word.ToString());
        _word.Clear();
        var length = Columns(word);
        if (length > width - _column - GapWidth)
        {
            _gap.Clear();
            if (_column > 0)
            {
                NewLine();
            }
        }

        PutGap();
        if (length <= width)
        {
            Put(word, length);
        }
        else
        {
            PutCut(word);
        }
    }

    private void PutCut(string word)
    {
        var part = new StringBuilder();
        var length = 0;
        for (var elements = StringInfo.GetTextElementEnumerator(word); elements.MoveNext();)
        {
            var element = elements.GetTextElement();
            var columns = Columns(element);
            if (length > 0 && length + columns > width)
            {
                Put(part.ToString(), length);
                NewLine();
                part.Clear();
                length = 0;
            }

            part.Append(element);
            length += columns;
        }

        Put(part.ToString(), length);
    }

    private int GapWidth => _gap.Length == 0 ? 0 : _gap.ToString().Sum(c => c == '\t' ? TabWidth : 1);

    private void PutGap()
    {
        if (GapWidth is var length && length > 0 && length <= width - _column)
        {
            Put(_gap.ToString(), length);
        }

        _gap.Clear();
    }

    private void Put(string text, int length)
    {
        interaction.Write(text);
        _column += length;
    }

    private void NewLine()
    {
        interaction.WriteLine();
        beginLine?.Invoke();
        _column = 0;
    }

    private static bool IsIdeograph(Rune rune) =>
        Rune.GetUnicodeCategory(rune) == UnicodeCategory.OtherLetter && Columns(rune.ToString()) > 1;

    private static int Columns(string text) => new Segment(text).CellCount();
}
