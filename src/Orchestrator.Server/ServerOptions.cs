using System.ComponentModel.DataAnnotations;

namespace Orchestrator.Server;

/// <summary>How models are served over HTTP; section <c>Orchestrator:Server</c> of the settings.</summary>
public sealed class ServerOptions
{
    /// <summary>The section of the configuration that these are read from.</summary>
    public const string Section = "Orchestrator:Server";

    /// <summary>Where to listen. Anything but a loopback address has to be asked for.</summary>
    [Required]
    public string Url { get; set; } = "http://127.0.0.1:8642";

    /// <summary>What clients have to send as <c>Authorization: Bearer</c>; null makes one at start, and shows it.</summary>
    public string? Token { get; set; }

    /// <summary>Serves without a token; only on a loopback address.</summary>
    public bool Open { get; set; }
}
