using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Orchestrator.Core.Text;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Orchestrator.Console.Terminal;

/// <summary>The terminal, drawn by Spectre.Console.</summary>
internal sealed class SpectreInteraction : IInteraction
{
    private static readonly JsonSerializerOptions JsonOptions = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    // Columns for the title with its figures, the percentage and the time that remains, so that a bar stays on its line.
    private const int BarSurroundings = 64;

    // Where no terminal reads, a line stays a line, so that it can be searched for.
    private const int Unwrapped = 10_000;

    private readonly TerminalCapabilities _capabilities;
    private readonly TextReader _input;
    private readonly TextWriter _output;
    private readonly IAnsiConsole _human;
    private readonly IAnsiConsole _lines;
    private readonly IAnsiConsole _error;

    public SpectreInteraction(
        TerminalCapabilities capabilities, bool json, TextReader input, TextWriter output, TextWriter error)
    {
        _capabilities = capabilities;
        Json = json;
        _input = input;
        _output = output;
        _error = CreateForLines(error, capabilities, capabilities.ErrorAnsi);
        _human = Create(json ? error : output, capabilities, json ? capabilities.ErrorAnsi : capabilities.Ansi, capabilities.Width);
        _lines = json ? _error : CreateForLines(output, capabilities, capabilities.Ansi);
    }

    public bool Json { get; }

    public bool Live => _capabilities.Ansi && !Json;

    public bool Interactive => _capabilities.Interactive;

    public int Width => _capabilities.Width;

    // Past Spectre, which would wrap and trim: streamed text is appended as it comes.
    public void Write(string text)
    {
        _human.Profile.Out.Writer.Write(TerminalText.Sanitize(text));
        _human.Profile.Out.Writer.Flush();
    }

    public void WriteLine(string text = "") => Write(text + "\n");

    public void Markup(FormattableString markup) => _human.MarkupInterpolated(CultureInfo.InvariantCulture, Clean(markup));

    public void MarkupLine(FormattableString markup) =>
        _lines.MarkupLineInterpolated(CultureInfo.InvariantCulture, Clean(markup));

    public void Render(IRenderable renderable) => _human.Write(renderable);

    public void WriteJson<T>(T value) => WriteJsonLine(JsonSerializer.Serialize(value, JsonOptions));

    public void WriteJsonLine(string json)
    {
        if (!Json)
        {
            throw new InvalidOperationException("JSON goes to standard output only with --json.");
        }

        _output.WriteLine(json);
        _output.Flush();
    }

    public void Error(string message, string? remedy = null)
    {
        _error.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"[red]error:[/] {TerminalText.Sanitize(message)}");
        if (remedy is not null)
        {
            _error.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"  [yellow]try:[/] {TerminalText.Sanitize(remedy)}");
        }
    }

    public void Warning(string message) =>
        _error.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"[yellow]warning:[/] {TerminalText.Sanitize(message)}");

    public async Task<T> ProgressAsync<T>(string title, Func<IProgress<ProgressReport>, Task<T>> work)
    {
        if (!Live)
        {
            return await work(new LineProgress(this, title));
        }

        return await _human.Progress()
            .AutoClear(true)
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left },
                new ProgressBarColumn { Width = Math.Clamp(Width - BarSurroundings, 8, 40) },
                new PercentageColumn(),
                new RemainingTimeColumn())
            .StartAsync(context => work(new BarProgress(context.AddTask(Escape(title)), title)));
    }

    public string Ask(string question, params IReadOnlyList<string> answers)
    {
        if (!Interactive)
        {
            throw new InvalidOperationException("Nobody can be asked here.");
        }

        var prompt = new TextPrompt<string>(Escape(question))
            .AddChoices(answers)
            .DefaultValue(answers[0]);
        return _human.Prompt(prompt);
    }

    public string? ReadLine(string prompt)
    {
        if (Interactive)
        {
            Write(prompt);
        }

        return _input.ReadLine();
    }

    private static string Escape(string text) => Spectre.Console.Markup.Escape(TerminalText.Sanitize(text));

    // Values that come from models or files are data: their escapes are removed before Spectre escapes the markup.
    private static FormattableString Clean(FormattableString markup) =>
        System.Runtime.CompilerServices.FormattableStringFactory.Create(
            markup.Format,
            [.. markup.GetArguments().Select(a => a is string text ? TerminalText.Sanitize(text) : a)]);

    private static IAnsiConsole CreateForLines(TextWriter writer, TerminalCapabilities capabilities, bool ansi) =>
        Create(writer, capabilities, ansi, ansi ? capabilities.Width : Unwrapped);

    private static IAnsiConsole Create(TextWriter writer, TerminalCapabilities capabilities, bool ansi, int width)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = ansi ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = ansi ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = capabilities.Interactive ? InteractionSupport.Yes : InteractionSupport.No,
            Out = new AnsiConsoleOutput(writer),
        });
        console.Profile.Width = width;
        console.Pipeline.Attach(new Sanitizer());
        return console;
    }

    /// <summary>Lets no text obey the terminal, whatever a table or another drawing was made of; Spectre's own codes pass.</summary>
    private sealed class Sanitizer : IRenderHook
    {
        public IEnumerable<IRenderable> Process(RenderOptions options, IEnumerable<IRenderable> renderables) =>
            renderables.Select(renderable => new Sanitized(renderable));

        private sealed class Sanitized(IRenderable drawing) : Renderable
        {
            protected override Measurement Measure(RenderOptions options, int maxWidth) => drawing.Measure(options, maxWidth);

            protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth) =>
                drawing.Render(options, maxWidth).Select(segment =>
                    segment.IsControlCode ? segment : new Segment(TerminalText.Sanitize(segment.Text), segment.Style));
        }
    }

    private sealed class BarProgress(ProgressTask task, string title) : IProgress<ProgressReport>
    {
        public void Report(ProgressReport value)
        {
            task.IsIndeterminate = value.Total is null;
            task.MaxValue = value.Total ?? 1;
            task.Value = value.Done;
            if (value.Doing is { } doing)
            {
                task.Description = Escape($"{title} {doing}");
            }
            else if (value.Unit.Length > 0)
            {
                task.Description = Escape(string.Create(CultureInfo.InvariantCulture, $"{title} {value.Done:0.0}/{value.Total:0.0} {value.Unit}"));
            }
        }
    }

    private sealed class LineProgress(SpectreInteraction interaction, string title) : IProgress<ProgressReport>
    {
        private int _lastTenth = -1;

        public void Report(ProgressReport value)
        {
            var tenth = value.Total is > 0 ? (int)(10 * value.Done / value.Total.Value) : 0;
            if (Interlocked.Exchange(ref _lastTenth, tenth) == tenth)
            {
                return;
            }

            var figures = value.Doing ?? string.Create(CultureInfo.InvariantCulture, $"{value.Done:0.#} of {value.Total:0.#} {value.Unit}");
            interaction.WriteLine($"{title}: {tenth * 10} % ({figures})");
        }
    }
}
