using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Agents.Definitions;
using Orchestrator.Core.Teams;

namespace Orchestrator.Agents.Teams;

/// <summary>The teams in some folders, by name, reloaded while the host runs. A run keeps the definition it began with.</summary>
public sealed class TeamLibrary : DefinitionLibrary<TeamDefinition>
{
    /// <summary>Creates a library; the files are read when they are first asked for.</summary>
    /// <param name="folders">The folders; of two teams with one name the one in the earlier folder counts.</param>
    /// <param name="timeProvider">Lets edits settle.</param>
    /// <param name="logger">Hears about files that break while they are edited.</param>
    public TeamLibrary(
        IReadOnlyList<string> folders, TimeProvider? timeProvider = null, ILogger<TeamLibrary>? logger = null)
        : base("team", folders, timeProvider ?? TimeProvider.System, logger ?? NullLogger<TeamLibrary>.Instance)
    {
    }

    /// <summary>The JSON schema of team files, for editors.</summary>
    public static string JsonSchema => DefinitionSchema.Write("Team", TeamShape.File);

    /// <summary>Reads one team file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The team.</returns>
    /// <exception cref="DefinitionException">The file can't be read or is wrong.</exception>
    public static TeamDefinition ReadFile(string path) => DefinitionFile.Read(path, TeamFile.Read);

    private protected override TeamDefinition Read(string path, string text, string sha256) =>
        TeamFile.Read(path, text, sha256);

    private protected override string NameOf(TeamDefinition definition) => definition.Name;
}
