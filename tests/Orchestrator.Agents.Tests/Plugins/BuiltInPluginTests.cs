using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Microsoft.Extensions.Time.Testing;
using Microsoft.SemanticKernel;
using Orchestrator.Agents.Plugins.BuiltIn;
using Orchestrator.Core.Plugins;

namespace Orchestrator.Agents.Tests.Plugins;

public sealed class BuiltInPluginTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 7, 1, 12, 0, 0, TimeSpan.Zero));

    public void Dispose() => _folder.Dispose();

    [SkippableTheory]
    [InlineData("../outside.txt")]
    [InlineData("in/../../outside.txt")]
    [InlineData("/etc/passwd")]
    [InlineData("link/passwd")]
    [InlineData("in/chain/passwd")]
    [InlineData("sneaky")]
    public void No_path_leads_outside(string path)
    {
        Skip.If(OperatingSystem.IsWindows(), "symbolic links need rights there");
        var root = Directory.CreateDirectory(Path.Combine(_folder.Path, "root")).FullName;
        _folder.Write("outside.txt", "secret");
        Directory.CreateDirectory(Path.Combine(root, "in"));
        Directory.CreateSymbolicLink(Path.Combine(root, "link"), "/etc");
        Directory.CreateSymbolicLink(Path.Combine(root, "in", "chain"), "../link");
        File.CreateSymbolicLink(Path.Combine(root, "sneaky"), "../outside.txt");
        var context = new PluginContext { Root = root };
        var files = new FilesPlugin(RootedFolders.Of(context), context);

        Assert.Throws<UnauthorizedAccessException>(() => files.Read(path));
        Assert.Throws<UnauthorizedAccessException>(() => files.Write(path, "x"));
        Assert.Throws<UnauthorizedAccessException>(() => files.List(path));
        Assert.Throws<UnauthorizedAccessException>(() => new SearchPlugin(RootedFolders.Of(context)).Find("x", path));
        Assert.Equal("secret", File.ReadAllText(Path.Combine(_folder.Path, "outside.txt")));
    }

    [SkippableFact]
    public void A_link_that_stays_inside_and_a_ring_of_links_are_told_apart()
    {
        Skip.If(OperatingSystem.IsWindows(), "symbolic links need rights there");
        _folder.Write("a/x.txt", "hello");
        Directory.CreateSymbolicLink(Path.Combine(_folder.Path, "b"), "a");
        File.CreateSymbolicLink(Path.Combine(_folder.Path, "ring"), "ring2");
        File.CreateSymbolicLink(Path.Combine(_folder.Path, "ring2"), "ring");
        var files = Files();

        Assert.Equal("1: hello\n", files.Read("b/x.txt"));
        Assert.Throws<UnauthorizedAccessException>(() => files.Read("ring"));
    }

    [Property(MaxTest = 300)]
    public bool Whatever_the_path_the_real_one_is_below_a_root(string?[] parts)
    {
        var folders = new RootedFolders(_folder.Path);
        var path = string.Join('/', (parts ?? []).Select((p, i) => i % 2 == 0 ? ".." : p));
        try
        {
            return RootedFolders.Contains(RootedFolders.RealPath(_folder.Path), folders.Resolve(path.Length == 0 ? "." : path));
        }
        catch (Exception e) when (e is UnauthorizedAccessException or ArgumentException or IOException)
        {
            return true;
        }
    }

    [Fact]
    public void Files_are_listed_and_read_by_line()
    {
        _folder.Write("a.log", "one\ntwo\nthree\n");
        _folder.Write("sub/b.txt", "x");
        _folder.Write("c.bin", "a\0b");
        var files = Files();

        Assert.Equal("a.log (14 bytes)\nc.bin (3 bytes)\nsub/", files.List());
        Assert.Equal("2: two\n", files.Read("a.log", 2, 1));
        Assert.Equal("no lines there", files.Read("a.log", 9));
        Assert.Throws<InvalidDataException>(() => files.Read("c.bin"));
        Assert.Contains("no file 'd'", Assert.Throws<ArgumentException>(() => files.Read("d")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Writing_into_the_output_folder_needs_no_approval_and_elsewhere_it_does()
    {
        var output = Path.Combine(_folder.Path, "runs", "1");
        var context = new PluginContext { Root = _folder.Path, OutputFolder = output };
        var files = new FilesPlugin(RootedFolders.Of(context), context);

        Assert.True(files.StaysInOutput(new KernelArguments { ["path"] = "notes/a.md" }));
        Assert.True(files.StaysInOutput(new KernelArguments { ["path"] = Path.Combine(output, "b.md") }));
        Assert.False(files.StaysInOutput(new KernelArguments { ["path"] = "../../a.md" }));
        Assert.False(files.StaysInOutput(new KernelArguments { ["path"] = Path.Combine(_folder.Path, "a.md") }));
        Assert.Equal("wrote 2 characters to runs/1/notes/a.md", files.Write("notes/a.md", "hi"));
        Assert.Equal("hi", File.ReadAllText(Path.Combine(output, "notes", "a.md")));
    }

    [Fact]
    public void Search_gives_file_and_line_and_says_how_many_more()
    {
        _folder.Write("a.log", "start\nError: disk\nerror: net\n");
        _folder.Write("sub/b.log", "ERROR again\n");
        _folder.Write("c.txt", "error\n");
        var search = new SearchPlugin(RootedFolders.Of(Context()));

        Assert.Equal("a.log:2: Error: disk\na.log:3: error: net\nsub/b.log:1: ERROR again\n", search.Find("error", ".", "*.log"));
        Assert.Equal("a.log:2: Error: disk\n[2 more lines match]", search.Find("error", files: "*.log", maxMatches: 1));
        Assert.Equal("a.log:3: error: net\n", search.Find("^err.*net$", "a.log", isRegex: true));
        Assert.Equal("no line matches", search.Find("absent"));
        Assert.ThrowsAny<ArgumentException>(() => search.Find("(", isRegex: true));
    }

    [Fact]
    public void Time_comes_from_the_clock_that_is_given()
    {
        var time = new TimePlugin(_time);

        Assert.Equal("2026-07-01T12:00:00+00:00 (Wednesday)", time.Now());
        Assert.Equal("1.00:00:01 (86401 seconds)", time.Difference("2026-07-01T00:00:00Z", "2026-07-02T00:00:01Z"));
        Assert.Equal("2026-06-30T23:59:59+00:00 (Tuesday)", time.Add("2026-07-01", -1));
        Assert.Throws<ArgumentException>(() => time.Now("Nowhere/Land"));
        Assert.Throws<ArgumentException>(() => time.Add("soon", 1));
    }

    [Theory]
    [InlineData("1 + 2 * 3", 7)]
    [InlineData("(1 + 2) * 3", 9)]
    [InlineData("-2 ^ 2", -4)]
    [InlineData("2 ^ 3 ^ 2", 512)]
    [InlineData("2 ^ -1", 0.5)]
    [InlineData("--3 - -2", 5)]
    [InlineData("max(1, sqrt(16), 2)", 4)]
    [InlineData("round(2.345, 2) + 1e3 + 1E-3", 1002.351)]
    [InlineData("7 % 4", 3)]
    [InlineData("sum(1,2,3)/avg(2,4)", 2)]
    [InlineData("cos(2*pi)", 1)]
    [InlineData("ln(e)", 1)]
    public void Expressions_are_computed(string expression, double expected) =>
        Assert.Equal(expected, MathExpression.Evaluate(expression), 12);

    [Theory]
    [InlineData("")]
    [InlineData("1 +")]
    [InlineData("1 / 0")]
    [InlineData("sqrt(-1)")]
    [InlineData("foo(1)")]
    [InlineData("x")]
    [InlineData("1 2")]
    [InlineData("(1")]
    [InlineData("1..2")]
    [InlineData("9^9^9^9")]
    public void What_is_no_expression_is_refused(string expression) =>
        Assert.Throws<ArgumentException>(() => MathExpression.Evaluate(expression));

    [Fact]
    public void Deep_and_long_expressions_are_refused_and_no_crash()
    {
        Assert.Throws<ArgumentException>(() => MathExpression.Evaluate(new string('(', 1999)));
        Assert.Throws<ArgumentException>(() => MathExpression.Evaluate(string.Join('^', Enumerable.Repeat("1", 900))));
        Assert.Throws<ArgumentException>(() => MathExpression.Evaluate(new string('1', 3000)));
        Assert.Equal(1, MathExpression.Evaluate(new string('-', 1000) + "1"));
    }

    [Property(MaxTest = 300)]
    public Property A_written_tree_computes_to_its_value() => Prop.ForAll(Arb.From(Tree(4)), tree =>
        !double.IsFinite(tree.Value) || tree.Divides || Math.Abs(MathExpression.Evaluate(tree.Text) - tree.Value) <= 1e-9 * Math.Max(1, Math.Abs(tree.Value)));

    [Property(MaxTest = 500)]
    public bool Any_text_is_computed_or_refused(string? text)
    {
        try
        {
            return double.IsFinite(MathExpression.Evaluate(text ?? ""));
        }
        catch (ArgumentException)
        {
            return true;
        }
    }

    [SkippableFact]
    public async Task Shell_gives_output_and_exit_code_without_the_host_s_environment()
    {
        Skip.If(OperatingSystem.IsWindows(), "the commands are a POSIX shell's");
        Environment.SetEnvironmentVariable("ORCHESTRATOR_TEST_SECRET", "hunter2!");
        var shell = new ShellPlugin(Context());

        Assert.Equal("exit code 3\nhi\n", await shell.RunAsync("echo hi; exit 3"));
        Assert.Equal("exit code 0\n[]\n", await shell.RunAsync("echo [$ORCHESTRATOR_TEST_SECRET]"));
        Assert.EndsWith("[more output was left out]\n", await shell.RunAsync("yes | head -n 20000"), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_shell_command_that_hangs_is_killed_with_its_children()
    {
        Skip.If(OperatingSystem.IsWindows(), "the commands are a POSIX shell's");
        var pipe = Path.Combine(_folder.Path, "pipe");
        var shell = new ShellPlugin(Context() with { TimeProvider = _time });
        await shell.RunAsync($"mkfifo {pipe}");
        var command = shell.RunAsync($"sleep 1000 & echo $! > {pipe}; wait", 5);

        // Reading the pipe returns when the child has been started.
        var child = System.Diagnostics.Process.GetProcessById(int.Parse(await File.ReadAllTextAsync(pipe), CultureInfo.InvariantCulture));
        _time.Advance(TimeSpan.FromSeconds(5));

        await Assert.ThrowsAsync<TimeoutException>(() => command);
        await child.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));
    }

    private PluginContext Context() => new() { Root = _folder.Path, TimeProvider = _time };

    private FilesPlugin Files() => new(RootedFolders.Of(Context()), Context());

    private static Gen<Expression> Tree(int depth)
    {
        var number = Gen.Choose(-50, 50).Select(n => new Expression(n.ToString(CultureInfo.InvariantCulture), n, false));
        if (depth == 0)
        {
            return number;
        }

        var child = Tree(depth - 1);
        var sum = from a in child from b in child select new Expression($"({a.Text} + {b.Text})", a.Value + b.Value, a.Divides || b.Divides);
        var difference = from a in child from b in child select new Expression($"({a.Text})-({b.Text})", a.Value - b.Value, a.Divides || b.Divides);
        var product = from a in child from b in child select new Expression($"({a.Text})*({b.Text})", a.Value * b.Value, a.Divides || b.Divides);
        var quotient = from a in child from b in child select new Expression($"({a.Text})/({b.Text})", a.Value / b.Value, a.Divides || b.Divides || b.Value == 0);
        return Gen.OneOf(number, sum.Select(e => e with { Text = $"({e.Text})" }), difference.Select(e => e with { Text = $"({e.Text})" }), product.Select(e => e with { Text = $"({e.Text})" }), quotient.Select(e => e with { Text = $"({e.Text})" }));
    }

    private sealed record Expression(string Text, double Value, bool Divides);
}
