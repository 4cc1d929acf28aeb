using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Orchestrator.Inference.Store;

/// <summary>Where a model's file comes from: a file in a repository of the hub, or any address.</summary>
/// <param name="Repo">The hub's repository, or null for an address of its own.</param>
/// <param name="File">The file in the repository, with slashes; or the address's last segment.</param>
/// <param name="Address">The address, or null for a file of the hub.</param>
internal sealed partial record ModelSource(string? Repo, string File, Uri? Address)
{
    /// <summary>The name of the file alone.</summary>
    internal string FileName => File[(File.LastIndexOf('/') + 1)..];

    /// <summary>Understands <c>owner/repo/file.gguf</c>, a hub's page of a file, or any http(s) address of a .gguf file.</summary>
    internal static bool TryParse(string text, [NotNullWhen(true)] out ModelSource? source)
    {
        source = null;
        if (Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https")
        {
            var name = Uri.UnescapeDataString(address.Segments[^1]);
            // The page that shows a file is what people copy; the file itself is beside it.
            address = new Uri(address.AbsoluteUri.Replace("/blob/main/", "/resolve/main/", StringComparison.Ordinal));
            source = IsSafe(name) ? new ModelSource(null, name, address) : null;
            return source is not null;
        }

        var segments = text.Split('/');
        if (segments.Length < 3 || !segments.All(IsSafeSegment) || !IsSafe(segments[^1]))
        {
            return false;
        }

        source = new ModelSource($"{segments[0]}/{segments[1]}", string.Join('/', segments[2..]), null);
        return true;
    }

    /// <summary>The address to fetch from.</summary>
    internal Uri AddressOn(Uri endpoint) => Address ?? new Uri(
        $"{endpoint.AbsoluteUri.TrimEnd('/')}/{Repo}/resolve/main/{string.Join('/', File.Split('/').Select(Uri.EscapeDataString))}");

    /// <summary>Where the file lies under the store's root; different sources never share a place.</summary>
    internal string RelativePath => Path.Combine([.. (Repo ?? Address!.Host).Split('/').Select(Clean), .. (Repo is null ? [Address!.AbsolutePath[1..].Replace('/', '_')] : File.Split('/').Select(Clean))]);

    /// <summary>All parts, where the name is that of a split model's part; else the source itself.</summary>
    internal IReadOnlyList<ModelSource> Parts()
    {
        var match = PartName().Match(File);
        if (!match.Success)
        {
            return [this];
        }

        var count = int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture);
        return [.. Enumerable.Range(1, Math.Max(count, 1)).Select(part =>
        {
            var suffix = $"-{part:D5}-of-{match.Groups[2].Value}.gguf";
            return this with
            {
                File = match.Groups[1].Value + suffix,
                Address = Address is null ? null : new Uri(PartName().Replace(Address.AbsoluteUri, m => m.Groups[1].Value + suffix)),
            };
        })];
    }

    /// <inheritdoc/>
    public override string ToString() => Address?.GetLeftPart(UriPartial.Path) ?? $"{Repo}/{File}";

    private static bool IsSafe(string name) => name.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) && IsSafeSegment(name);

    /// <summary>A segment becomes a folder's name, so nothing may lead out of the store.</summary>
    private static bool IsSafeSegment(string segment) =>
        segment.Length is > 0 and <= 200 && segment[0] != '.' && segment.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '+' or ' ');

    private static string Clean(string segment) => segment.Replace(':', '_');

    [GeneratedRegex(@"^(.+)-\d{5}-of-(\d{5})\.gguf$", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex PartName();
}
