using System.Globalization;
using System.Text;
using Orchestrator.Console.Terminal;

namespace Orchestrator.Console.Runs;

/// <summary>
/// Writes what agents say, each in its lane: the name, a bar, and the text wrapped beside it. One agent has the floor and
/// is shown word by word; what others say meanwhile waits until the floor is free, so that lanes never mix.
/// </summary>
internal sealed class LaneWriter
{
    private static readonly string[] Colours = ["aqua", "yellow", "lime", "fuchsia", "dodgerblue1", "orange1", "springgreen1", "hotpink"];

    private readonly IInteraction _interaction;
    private readonly Dictionary<string, int> _lanes = [];
    private readonly Dictionary<string, StringBuilder> _waiting = [];
    private readonly int _nameWidth;
    private readonly int _textWidth;
    private readonly StringBuilder _word = new();
    private string? _floor;
    private int _column;

    public LaneWriter(IInteraction interaction, IReadOnlyList<string> agents)
    {
        _interaction = interaction;
        _nameWidth = Math.Clamp(agents.Select(a => a.Length).DefaultIfEmpty(8).Max(), 6, 18);
        _textWidth = Math.Max(20, interaction.Width - _nameWidth - 4);
        foreach (var agent in agents)
        {
            _lanes[agent] = _lanes.Count;
        }
    }

    /// <summary>Whether the agent has said something that is not ended.</summary>
    public bool IsOpen(string agent) => _floor == agent || _waiting.ContainsKey(agent);

    /// <summary>Adds to what an agent is saying.</summary>
    public void Append(string agent, string text)
    {
        _floor ??= Begin(agent);
        if (_floor != agent)
        {
            if (!_waiting.TryGetValue(agent, out var waiting))
            {
                _waiting[agent] = waiting = new StringBuilder();
            }

            waiting.Append(text);
            return;
        }

        foreach (var c in text)
        {
            Put(c);
        }
    }

    /// <summary>Ends what an agent was saying; the next one that waits gets the floor.</summary>
    public void End(string agent)
    {
        if (_floor != agent)
        {
            if (_waiting.Remove(agent, out var text))
            {
                var floor = _floor;
                EndFloor();
                _floor = Begin(agent);
                Append(agent, text.ToString());
                EndFloor();
                if (floor is not null)
                {
                    _floor = Begin(floor);
                }
            }

            return;
        }

        EndFloor();
    }

    /// <summary>Writes a remark of the framework in an agent's lane, e.g. a tool call.</summary>
    public void Remark(string agent, string text)
    {
        if (_floor is not null)
        {
            EndFloor();
        }

        var line = text.ReplaceLineEndings(" ");
        var room = Math.Max(10, _textWidth);
        Bar(agent);
        _interaction.MarkupLine($"[grey]{(line.Length > room ? line[..(room - 1)] + "…" : line)}[/]");
    }

    private string Begin(string agent)
    {
        Bar(agent);
        _column = 0;
        return agent;
    }

    private void EndFloor()
    {
        if (_floor is not null)
        {
            PutWord();
            _interaction.WriteLine();
            _floor = null;
        }
    }

    private void Put(char c)
    {
        if (c == '\n')
        {
            PutWord();
            NewLine();
        }
        else if (c == ' ')
        {
            PutWord();
            if (_column > 0 && _column < _textWidth)
            {
                _interaction.Write(" ");
                _column++;
            }
        }
        else
        {
            _word.Append(c);
        }
    }

    private void PutWord()
    {
        if (_word.Length == 0)
        {
            return;
        }

        var word = _word.ToString();
        _word.Clear();
        var length = new StringInfo(word).LengthInTextElements;
        if (_column + length > _textWidth && _column > 0)
        {
            NewLine();
        }

        while (word.Length > _textWidth)
        {
            _interaction.Write(word[.._textWidth]);
            word = word[_textWidth..];
            NewLine();
        }

        _interaction.Write(word);
        _column += word.Length;
    }

    private void NewLine()
    {
        _interaction.WriteLine();
        Bar(_floor!, named: false);
        _column = 0;
    }

    private void Bar(string agent, bool named = true)
    {
        if (!_lanes.TryGetValue(agent, out var lane))
        {
            _lanes[agent] = lane = _lanes.Count;
        }

        var colour = Colours[lane % Colours.Length];
        var name = agent.Length > _nameWidth ? agent[.._nameWidth] : agent.PadRight(_nameWidth);
        var shown = named ? name : new string(' ', _nameWidth);
        _interaction.Markup(System.Runtime.CompilerServices.FormattableStringFactory.Create(
            $"[{colour}]{{0}}[/] [grey]│[/] ", shown));
    }
}
