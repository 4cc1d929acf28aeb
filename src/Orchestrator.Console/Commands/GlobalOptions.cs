using System.CommandLine;

namespace Orchestrator.Console.Commands;

/// <summary>The options that every command takes.</summary>
internal static class GlobalOptions
{
    public static readonly Option<bool> Json = new("--json")
    {
        Description = "Write JSON lines to standard output, and text for people to standard error.",
        Recursive = true,
    };

    public static readonly Option<bool> NoColor = new("--no-color")
    {
        Description = "Write plain text. NO_COLOR, CI and redirected output do the same.",
        Recursive = true,
    };

    public static readonly Option<bool> Verbose = new("--verbose", "-v")
    {
        Description = "Write what happens inside to standard error.",
        Recursive = true,
    };

    public static readonly Option<DirectoryInfo?> Root = new("--root")
    {
        Description = "The folder that holds teams, prompts, plugins and runs. Default: the current folder.",
        Recursive = true,
    };

    /// <summary>The model option, for the commands that load one.</summary>
    public static Option<string?> Model() => new("--model", "-m")
    {
        Description = "A GGUF file, or a model's name in the store. Default: Orchestrator:Model in the settings.",
        HelpName = "PATH|NAME",
    };

    /// <summary>Pulls a missing model without asking, for the commands that load one.</summary>
    public static Option<bool> Yes() => new("--yes", "-y")
    {
        Description = "Pull the model without asking where it is not on this machine.",
    };
}
