using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Orchestrator.Core;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Gguf;

namespace Orchestrator.Inference.Deciding;

/// <summary>What was found where a model's profile is kept.</summary>
/// <param name="Profile">The profile; null where there is none that can be used.</param>
/// <param name="Problem">Why a file that is there can't be used, naming it; null where none is there or it is sound.</param>
public sealed record DecisionProfileReading(DecisionProfile? Profile, string? Problem = null);

/// <summary>
/// The file beside a model that keeps its <see cref="DecisionProfile"/>. It names the model by its content, so that it is
/// not taken for that of a file which replaced it.
/// </summary>
public static class DecisionProfileFile
{
    private const int Version = 1;
    private const string Extension = ".decisions.json";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    /// <summary>Where a model's profile is kept.</summary>
    /// <param name="modelPath">The model's file; of a split model, the first part.</param>
    /// <returns>The path, which may not be there.</returns>
    public static string PathOf(string modelPath)
    {
        ArgumentException.ThrowIfNullOrEmpty(modelPath);
        return Path.GetFullPath(modelPath) + Extension;
    }

    /// <summary>Reads a model's profile; of the model itself only where a file is beside it.</summary>
    /// <param name="modelPath">The model's file.</param>
    /// <returns>The profile, or why there is none.</returns>
    /// <exception cref="OrchestratorException">The model can't be read.</exception>
    public static DecisionProfileReading Read(string modelPath) =>
        File.Exists(PathOf(modelPath)) ? Read(GgufReader.ReadModel(modelPath)) : new(null);

    /// <summary>Reads a model's profile.</summary>
    /// <param name="model">The model's header.</param>
    /// <returns>The profile, or why there is none.</returns>
    public static DecisionProfileReading Read(GgufModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var path = PathOf(model.Path);
        if (!File.Exists(path))
        {
            return new(null);
        }

        try
        {
            var document = JsonSerializer.Deserialize<Document>(File.ReadAllText(path), Json);
            return document is not { Version: Version } ? Unusable($"it is not of version {Version}")
                : !IsSound(document.Described) || !IsSound(document.NamesOnly) ? Unusable("its figures contradict each other")
                : document.Model != ModelFingerprint.Of(model) ? Unusable("it was measured on another file than the model that is there now")
                : new(new DecisionProfile(document.Described, document.NamesOnly));
        }
        catch (JsonException e)
        {
            return Unusable($"line {e.LineNumber + 1}, {e.Path}: {e.Message.Split(" Path:")[0]}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Unusable(e.Message);
        }

        DecisionProfileReading Unusable(string cause) => new(null, $"{path} is not used: {cause.TrimEnd('.')}.");
    }

    /// <summary>Fails where a profile could not be kept, so that nothing is measured in vain.</summary>
    /// <param name="modelPath">The model's file.</param>
    /// <exception cref="OrchestratorException">The folder can't be written to.</exception>
    public static void RequireWritable(string modelPath)
    {
        var part = PathOf(modelPath) + ".part";
        Write(part, () =>
        {
            File.WriteAllText(part, "");
            File.Delete(part);
        });
    }

    /// <summary>Keeps a model's profile, in place of one that is there.</summary>
    /// <param name="model">The model's header.</param>
    /// <param name="profile">The profile.</param>
    /// <returns>The file's path.</returns>
    /// <exception cref="OrchestratorException">The folder can't be written to.</exception>
    public static string Write(GgufModel model, DecisionProfile profile)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(profile);
        var path = PathOf(model.Path);
        var part = path + ".part";
        var document = new Document(Version, ModelFingerprint.Of(model), profile.Described, profile.NamesOnly);
        Write(path, () =>
        {
            File.WriteAllText(part, JsonSerializer.Serialize(document, Json) + "\n");
            File.Move(part, path, overwrite: true);
        });
        return path;
    }

    private static void Write(string path, Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OrchestratorException(
                ErrorKind.Model,
                $"What suits the model is kept beside it, and {path} can't be written: {e.Message}",
                "Make the folder writable, or measure a copy: orchestrator model add PATH --copy. With --dry-run nothing is kept.",
                e);
        }
    }

    private static bool IsSound(MeasuredMethod? measured) => measured is null
        || (measured.Method != ChoiceMethod.Generated && measured.Right >= 0 && measured.DefaultRight >= 0
            && Math.Max(measured.Right, measured.DefaultRight) <= measured.Cases);

    private sealed record Document(int Version, string Model, MeasuredMethod? Described, MeasuredMethod? NamesOnly);
}
