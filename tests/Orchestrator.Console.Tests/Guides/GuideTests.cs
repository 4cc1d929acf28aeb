using System.Text.Json;
using System.Text.RegularExpressions;
using Orchestrator.Testing.Models;

namespace Orchestrator.Console.Tests.Guides;

/// <summary>
/// The guides do what they say. From top to bottom: a block whose fence names a file is written to it, a block of
/// <c>sh</c> is run line by line, and must end with exit code 0 or the one that its fence names; a block of
/// <c>text</c> after it is what the last command printed.
/// </summary>
public sealed partial class GuideTests
{
    [Theory]
    [InlineData("adapters.md")]
    [InlineData("prompts-and-teams.md")]
    [InlineData("writing-a-plugin.md")]
    public async Task Each_command_of_a_guide_does_what_the_guide_says(string guide)
    {
        var folder = Directory.CreateTempSubdirectory("orchestrator-guide-").FullName;
        try
        {
            // What the reader has: a model, an adapter, and a store of their own.
            File.Copy(TinyModel.SharedPath, Path.Combine(folder, "base.gguf"));
            TinyAdapter.Create(Path.Combine(folder, "tone.lora.gguf"), TinyModel.SharedPath);
            await File.WriteAllTextAsync(
                Path.Combine(folder, "appsettings.json"),
                JsonSerializer.Serialize(new { Orchestrator = new { Models = new { Root = Path.Combine(folder, "store") } } }));
            var commands = await FollowAsync(Path.Combine(OrchestratorProcess.RepositoryRoot, "docs", "guides", guide), folder);
            Assert.True(commands > 3, "The guide's commands were not found.");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<int> FollowAsync(string guide, string folder)
    {
        var (commands, last) = (0, "");
        foreach (Match block in Block().Matches(await File.ReadAllTextAsync(guide)))
        {
            var (info, text) = (block.Groups["info"].Value.Split(' '), block.Groups["text"].Value);
            switch (info)
            {
                case ["sh", ..]:
                    var expected = info is [_, var exit] ? int.Parse(exit["exit=".Length..], System.Globalization.CultureInfo.InvariantCulture) : 0;
                    foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
                    {
                        (var code, last) = await OrchestratorProcess.RunAsync(line, folder);
                        Assert.True(code == expected, $"`{line}` ended with {code}, not {expected}:\n{last}");
                        commands++;
                    }

                    break;
                case ["text"]:
                    // Paths are shown in full and lines wrapped to the terminal, so the words are compared.
                    var printed = Words(last.Replace(folder + Path.DirectorySeparatorChar, "", StringComparison.Ordinal));
                    Assert.Contains(Words(text), printed, StringComparison.Ordinal);
                    break;
                case [_, var file]:
                    var path = Path.Combine(folder, file);
                    Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                    await File.WriteAllTextAsync(path, text);
                    break;
                default:
                    break;
            }
        }

        return commands;
    }

    private static string Words(string text) => Space().Replace(text, "");

    [GeneratedRegex(@"^```(?<info>[^\n]+)\n(?<text>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();
}
