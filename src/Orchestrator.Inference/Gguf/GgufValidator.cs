using Orchestrator.Core;

namespace Orchestrator.Inference.Gguf;

/// <summary>
/// Decides whether a model file may be given to the native loader. llama.cpp trusts what it loads: many faults
/// (a layer count over 512, equal tokens, a quantised norm, heads that don't divide) end the whole process, and
/// others give no more than "failed to load". Here each becomes one error that names the file, the place and the
/// cause. The rules were found by giving broken files to llama.cpp v0.5.0 and reading its loader.
/// </summary>
public static class GgufValidator
{
    /// <summary>Finds everything that is wrong with a model.</summary>
    /// <param name="model">The model's header.</param>
    /// <returns>Nothing where the model may be loaded.</returns>
    public static IReadOnlyList<GgufProblem> Check(GgufModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var findings = new GgufFindings(model.Path);
        if (model.Metadata.Text("general.type") is { } type && type != "model")
        {
            findings.Add("general.type", $"this is of type '{type}', not a model");
            return findings.Problems;
        }

        foreach (var part in model.Parts)
        {
            LayoutRules.Check(part, findings);
        }

        PartRules.Check(model, findings);
        ArchitectureRules.Check(model, findings);
        VocabularyRules.Check(model.Metadata, findings);
        TensorRules.Check(model, findings);
        return findings.Problems;
    }

    /// <summary>Refuses a model that is not sound.</summary>
    /// <param name="model">The model's header.</param>
    /// <exception cref="OrchestratorException">Something is wrong with it.</exception>
    public static void Validate(GgufModel model)
    {
        var problems = Check(model);
        if (problems.Count > 0)
        {
            throw GgufError.Of(problems);
        }
    }

    /// <summary>Reads a model and refuses it where it is not sound.</summary>
    /// <param name="path">A GGUF file, or the first part of a split one.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="OrchestratorException">The file is missing, unreadable, or not sound.</exception>
    public static GgufModel ReadValid(string path, CancellationToken cancellation = default)
    {
        var model = GgufReader.ReadModel(path, cancellation);
        Validate(model);
        return model;
    }
}
