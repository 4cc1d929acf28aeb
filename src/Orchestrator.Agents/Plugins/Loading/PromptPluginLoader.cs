using Microsoft.SemanticKernel;
using Orchestrator.Agents.Prompts;

namespace Orchestrator.Agents.Plugins.Loading;

/// <summary>Makes a plugin of a folder of prompts.</summary>
internal static class PromptPluginLoader
{
    public static OpenPlugin Load(PluginManifest manifest)
    {
        var folder = Path.GetFullPath(manifest.Prompts!, manifest.Folder);
        var files = Directory.Exists(folder)
            ? Directory.EnumerateFiles(folder, "*.yaml")
                .Where(f => Path.GetFileName(f) != PluginManifestFile.FileName)
                .Order(StringComparer.Ordinal)
                .ToArray()
            : [];
        if (files.Length == 0)
        {
            throw new PluginException(manifest.Name, $"there is no prompt in {folder}.", "Put a .yaml file there, one for each function.");
        }

        var functions = files.Select(f => PromptLibrary.ReadFile(f).CreateFunction());
        return new OpenPlugin(manifest, KernelPluginFactory.CreateFromFunctions(manifest.Name, manifest.Description, functions));
    }
}
