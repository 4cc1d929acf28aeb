using Microsoft.Extensions.Hosting;
using Orchestrator.Agents;

namespace Orchestrator.Console.Hosting;

/// <summary>Adds prompts, teams and plugins.</summary>
internal static class AgentHosting
{
    /// <summary>The folders of the root go before those that ship with the program.</summary>
    public static void AddAgents(this HostApplicationBuilder builder)
    {
        var root = builder.Environment.ContentRootPath;
        builder.Services.AddOrchestratorAgents(options =>
        {
            AddFolders(options.TeamFolders, root, "teams");
            AddFolders(options.PromptFolders, root, "prompts");
            AddFolders(options.PluginFolders, root, "plugins");
        });
    }

    private static void AddFolders(IList<string> folders, string root, string name)
    {
        foreach (var folder in new[] { Path.Combine(root, name), Path.Combine(RootFolder.Shipped, name) })
        {
            if (!folders.Contains(folder))
            {
                folders.Add(folder);
            }
        }
    }
}
