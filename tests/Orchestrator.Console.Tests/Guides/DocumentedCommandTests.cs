using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using Orchestrator.Console.Commands;

namespace Orchestrator.Console.Tests.Guides;

/// <summary>
/// Whatever command line a person can read, in a Markdown file, in <c>--help</c> or in an error's remedy, is one that
/// the program takes, and each project that it names is there.
/// </summary>
public sealed partial class DocumentedCommandTests
{
    private static readonly string[] DocumentFolders = ["docs", "teams", "prompts", "plugins", "samples", "models", "bench"];

    /// <summary>The first argument is the place, the second the command line.</summary>
    public static TheoryData<string, string> Documents() => Collect(
        from file in DocumentFiles()
        let name = Path.GetRelativePath(OrchestratorProcess.RepositoryRoot, file)
        from line in LinesOf(name)
        select (name, line));

    public static TheoryData<string, string> Examples() => Collect(
        from command in Commands(OrchestratorCommand.Create())
        from example in command.Examples
        select (command.Name, example));

    public static TheoryData<string, string> Remedies() => Collect(
        from file in Directory.EnumerateFiles(Path.Combine(OrchestratorProcess.RepositoryRoot, "src"), "*.cs", SearchOption.AllDirectories)
        where !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
        from Match match in Remedy().Matches(File.ReadAllText(file))
        select (Path.GetFileName(file), match.Groups["line"].Value));

    [Theory]
    [MemberData(nameof(Documents))]
    [MemberData(nameof(Examples))]
    [MemberData(nameof(Remedies))]
    public void A_command_that_people_read_is_one_that_runs(string place, string line)
    {
        var words = Words(line);
        if (words is [])
        {
            return;
        }

        if (words is ["dotnet", var verb, ..])
        {
            var project = Project(verb, words);
            Assert.True(
                project is null || Path.Exists(Path.Combine(OrchestratorProcess.RepositoryRoot, project)) || project.StartsWith("plugins/", StringComparison.Ordinal),
                $"{place}: `{line}` names {project}, which is not there.");
            if (project != "src/Orchestrator.Console")
            {
                return;
            }

            words = ["orchestrator", .. words.SkipWhile(word => word != "--").Skip(1)];
        }

        // A command may be named without what it takes; whatever else stands there must be right.
        var parse = OrchestratorCommand.Create().Parse([.. words[1..].Where(word => word != "…")]);
        var errors = parse.Errors.Where(error => !OnlyNamed(parse, error)).Select(error => error.Message);
        Assert.True(!errors.Any(), $"{place}: `{line}`: {string.Join(" ", errors)}");
    }

    [Fact]
    public void Each_command_shows_an_example() => Assert.DoesNotContain(
        Commands(OrchestratorCommand.Create()), command => !command.Hidden && command.Examples.Count == 0);

    [Fact]
    public void The_readme_names_each_command_in_both_languages()
    {
        foreach (var readme in new[] { "README.md", "README.zh-CN.md" })
        {
            var text = File.ReadAllText(Path.Combine(OrchestratorProcess.RepositoryRoot, readme));
            Assert.All(OrchestratorCommand.Create().Subcommands, command => Assert.Matches($@"`(orchestrator )?{command.Name}\b", text));
        }
    }

    /// <summary>The command lines that a Markdown file shows.</summary>
    internal static IEnumerable<string> LinesOf(string file) =>
        Command().Matches(File.ReadAllText(Path.Combine(OrchestratorProcess.RepositoryRoot, file))).Select(match => match.Groups["line"].Value);

    private static bool OnlyNamed(ParseResult parse, ParseError error) =>
        parse.Tokens.All(token => token.Type == TokenType.Command)
        && (error.SymbolResult is CommandResult || error.Message.StartsWith("Required argument", StringComparison.Ordinal));

    private static IEnumerable<string> DocumentFiles()
    {
        var root = OrchestratorProcess.RepositoryRoot;
        return Directory.EnumerateFiles(root, "*.md").Concat(
            from folder in DocumentFolders
            where Directory.Exists(Path.Combine(root, folder))
            from file in Directory.EnumerateFiles(Path.Combine(root, folder), "*.md", SearchOption.AllDirectories)
            where !file.Contains("node_modules", StringComparison.Ordinal)
            select file);
    }

    private static IEnumerable<ConsoleCommand> Commands(Command command) =>
        command.Subcommands.SelectMany(Commands).Concat(command is ConsoleCommand leaf ? [leaf] : []);

    private static string? Project(string verb, string[] words) => verb switch
    {
        "run" => words.SkipWhile(word => word != "--project").Skip(1).First(),
        "test" or "build" or "pack" or "publish" => words.Skip(2).FirstOrDefault(word => !word.StartsWith('-')),
        _ => null,
    };

    /// <summary>What a shell would hand to the program: without settings before it, and without what is piped in or out.</summary>
    private static string[] Words(string line) =>
    [
        .. line.Split('|').Select(OrchestratorProcess.Split).Select(part => part.SkipWhile(word => word.Contains('=')))
            .FirstOrDefault(part => part.FirstOrDefault() is "orchestrator" or "dotnet", [])
            .TakeWhile(word => word is not ("<" or ">" or "#" or "&&" or "2>")),
    ];

    private static TheoryData<string, string> Collect(IEnumerable<(string Place, string Line)> found)
    {
        var lines = new TheoryData<string, string>();
        foreach (var (place, line) in found.Distinct())
        {
            lines.Add(place, line);
        }

        Assert.NotEmpty(lines);
        return lines;
    }

    /// <summary>A line of a block, or what stands between backticks.</summary>
    [GeneratedRegex(@"(?:^|`)(?<line>(?:echo [^\n`]*\| )?(?:orchestrator|dotnet (?:run|test|build|pack|publish)) [^\n`]+|dotnet test)(?:$|`)", RegexOptions.Multiline)]
    private static partial Regex Command();

    [GeneratedRegex(@"`(?<line>orchestrator [^`{""]+)(?: ?\{[^`]*)?`")]
    private static partial Regex Remedy();
}
