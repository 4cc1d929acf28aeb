using System.ComponentModel.DataAnnotations;

namespace Orchestrator.Inference.Store;

/// <summary>Where models are kept and fetched from; section <c>Orchestrator:Models</c> of the settings.</summary>
public sealed class ModelStoreOptions
{
    /// <summary>The section of the configuration that these are read from.</summary>
    public const string Section = "Orchestrator:Models";

    /// <summary>The folder for models, their index and unfinished downloads. Defaults to <c>.orchestrator/models</c> in the user's home.</summary>
    [Required]
    public string Root { get; set; } = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".orchestrator", "models");

    /// <summary>A catalogue file to use in place of the one that is built in.</summary>
    public string? CataloguePath { get; set; }

    /// <summary>The hub: files are at <c>{Endpoint}/{repo}/resolve/main/{file}</c>. Defaults to HF_ENDPOINT, else the Hugging Face hub.</summary>
    [Required]
    public Uri Endpoint { get; set; } = new("https://huggingface.co");

    /// <summary>An access token for the hub, sent to its host only. Defaults to HF_TOKEN.</summary>
    public string? Token { get; set; }

    /// <summary>How often in a row a download is tried again without getting any further.</summary>
    [Range(0, 100)]
    public int Retries { get; set; } = 5;

    /// <summary>The wait before the first retry; it doubles with each further one, up to a minute.</summary>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a server may send nothing before the connection is given up and tried again.</summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Bytes of disk space that a download must leave free.</summary>
    [Range(0, long.MaxValue)]
    public long SpareBytes { get; set; } = 64 << 20;
}
