using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Agents.Definitions;
using Orchestrator.Core.Prompts;

namespace Orchestrator.Agents.Prompts;

/// <summary>The prompts in some folders, by name, reloaded while the host runs.</summary>
public sealed class PromptLibrary : DefinitionLibrary<PromptTemplate>, IPromptRenderer
{
    /// <summary>Creates a library; the files are read when they are first asked for.</summary>
    /// <param name="folders">The folders; of two prompts with one name the one in the earlier folder counts.</param>
    /// <param name="timeProvider">Lets edits settle.</param>
    /// <param name="logger">Hears about files that break while they are edited.</param>
    public PromptLibrary(
        IReadOnlyList<string> folders, TimeProvider? timeProvider = null, ILogger<PromptLibrary>? logger = null)
        : base("prompt", folders, timeProvider ?? TimeProvider.System, logger ?? NullLogger<PromptLibrary>.Instance)
    {
    }

    /// <summary>The JSON schema of prompt files, for editors.</summary>
    public static string JsonSchema => DefinitionSchema.Write("Prompt", PromptShape.File);

    /// <summary>Reads one prompt file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The prompt.</returns>
    /// <exception cref="DefinitionException">The file can't be read or is wrong.</exception>
    public static PromptTemplate ReadFile(string path) => DefinitionFile.Read(path, PromptFile.Read);

    /// <inheritdoc/>
    public string GetHash(string name) => Get(name).Sha256;

    /// <inheritdoc/>
    public Task<string> RenderAsync(
        string name, IReadOnlyDictionary<string, object?> variables, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(variables);
        var prompt = Get(name);

        // Callers offer all that they know; people's templates take what they want of it.
        var wanted = prompt.Variables.Where(v => variables.ContainsKey(v.Name)).ToDictionary(v => v.Name, v => variables[v.Name]);
        return prompt.RenderAsync(wanted, kernel: null, cancellationToken);
    }

    private protected override PromptTemplate Read(string path, string text, string sha256) =>
        PromptFile.Read(path, text, sha256);

    private protected override string NameOf(PromptTemplate definition) => definition.Name;
}
