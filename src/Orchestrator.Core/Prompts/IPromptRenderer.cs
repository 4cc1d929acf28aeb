namespace Orchestrator.Core.Prompts;

/// <summary>Prompt templates by name, as the folder <c>prompts/</c> holds them. Everything that asks a model renders its text here.</summary>
public interface IPromptRenderer
{
    /// <summary>The SHA-256 of a template's file, in lower-case hexadecimal; kept in the log of the runs that use it.</summary>
    /// <param name="name">The template's name.</param>
    /// <returns>The hash.</returns>
    /// <exception cref="OrchestratorException">There is no such template.</exception>
    string GetHash(string name);

    /// <summary>Fills a template in. Values are data: nothing in them is taken for a part of the template.</summary>
    /// <param name="name">The template's name.</param>
    /// <param name="variables">
    /// Values by variable; text, numbers, and lists or dictionaries of these. A template need not use them all.
    /// </param>
    /// <param name="cancellationToken">Stops the rendering.</param>
    /// <returns>The text.</returns>
    /// <exception cref="OrchestratorException">There is no such template, or it asks for an unknown variable.</exception>
    Task<string> RenderAsync(
        string name, IReadOnlyDictionary<string, object?> variables, CancellationToken cancellationToken = default);
}
