using System.Text;
using Orchestrator.Console.Terminal;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Orchestrator.Console.Tests.Terminal;

/// <summary>A terminal whose person answers from a list, and which keeps what it shows.</summary>
internal sealed class ScriptedInteraction(params IEnumerable<string> answers) : IInteraction
{
    private readonly Queue<string> _answers = new(answers);
    private readonly StringBuilder _shown = new();
    private readonly Lock _gate = new();

    public string Shown
    {
        get
        {
            lock (_gate)
            {
                return _shown.ToString();
            }
        }
    }

    public bool Live { get; init; }

    public bool Interactive { get; init; }

    public int Width => 80;

    public bool Json => false;

    public void Write(string text)
    {
        lock (_gate)
        {
            _shown.Append(text);
        }
    }

    public void WriteLine(string text = "") => Write(text + "\n");

    public void Markup(FormattableString markup) => Write(Spectre.Console.Markup.Remove(string.Format(
        System.Globalization.CultureInfo.InvariantCulture,
        markup.Format,
        [.. markup.GetArguments().Select(argument => argument is string text ? Spectre.Console.Markup.Escape(text) : argument)])));

    public void MarkupLine(FormattableString markup)
    {
        Markup(markup);
        WriteLine();
    }

    public void Render(IRenderable renderable)
    {
        using var writer = new StringWriter();
        AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(writer), Ansi = AnsiSupport.No }).Write(renderable);
        Write(writer.ToString());
    }

    public void WriteJson<T>(T value) => throw new InvalidOperationException("This is not --json.");

    public void WriteJsonLine(string json) => throw new InvalidOperationException("This is not --json.");

    public void Error(string message, string? remedy = null) => WriteLine($"error: {message} try: {remedy}");

    public void Warning(string message) => WriteLine($"warning: {message}");

    public Task<T> ProgressAsync<T>(string title, Func<IProgress<ProgressReport>, Task<T>> work) => work(new Bar(this, title));

    public string Ask(string question, params IReadOnlyList<string> answers) => ReadLine(question) ?? answers[0];

    public string? ReadLine(string prompt)
    {
        Write(prompt);
        return _answers.TryDequeue(out var answer) ? answer : null;
    }

    private sealed class Bar(ScriptedInteraction interaction, string title) : IProgress<ProgressReport>
    {
        public void Report(ProgressReport value) =>
            interaction.WriteLine(FormattableString.Invariant($"{title}: {value.Done:0.###} of {value.Total:0.###} {value.Unit}"));
    }
}
