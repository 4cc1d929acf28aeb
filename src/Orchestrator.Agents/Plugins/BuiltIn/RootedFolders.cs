using Orchestrator.Core.Plugins;

namespace Orchestrator.Agents.Plugins.BuiltIn;

/// <summary>
/// The folders and files that may be reached, and nothing else: a path is followed through <c>..</c> and symbolic
/// links to where it really leads before it is compared.
/// </summary>
internal sealed class RootedFolders
{
    // As the kernel's own limit for links that lead to links.
    private const int MaxLinks = 40;
    private static readonly StringComparison Comparison =
        OperatingSystem.IsWindows() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;

    private readonly string _root;
    private readonly IReadOnlyList<string> _allowed;

    /// <param name="root">What relative paths start from; allowed itself.</param>
    /// <param name="others">Further folders and files that may be reached.</param>
    public RootedFolders(string root, params IReadOnlyList<string> others)
    {
        _root = Path.GetFullPath(root);
        _allowed = [.. others.Prepend(_root).Select(r => RealPath(Path.GetFullPath(r, _root))).Distinct()];
    }

    public static RootedFolders Of(PluginContext context)
    {
        var inputs = context.Inputs.Values.Select(v => Path.GetFullPath(v, context.Root)).Where(Path.Exists);
        return new RootedFolders(context.Root, [.. inputs, .. context.OutputFolder is { } output ? new[] { output } : []]);
    }

    /// <summary>The real path behind a path.</summary>
    /// <exception cref="UnauthorizedAccessException">It leads outside.</exception>
    public string Resolve(string path)
    {
        var real = RealPath(Path.GetFullPath(path, _root));
        return _allowed.Any(root => Contains(root, real)) ? real : throw new UnauthorizedAccessException(
            $"'{path}' is outside of the folders that may be reached: {string.Join(", ", _allowed)}.");
    }

    /// <summary>The path as it is shown: relative to the root where it lies below.</summary>
    public string Show(string realPath)
    {
        var root = _allowed[0];
        return Contains(root, realPath) ? Path.GetRelativePath(root, realPath).Replace('\\', '/') : realPath;
    }

    /// <summary>Whether a folder holds a path, or is it.</summary>
    public static bool Contains(string folder, string path) =>
        path.Equals(folder, Comparison)
        || path.StartsWith(folder.EndsWith(Path.DirectorySeparatorChar) ? folder : folder + Path.DirectorySeparatorChar, Comparison);

    /// <summary>Follows every link on the way; what does not exist yet stays as it is.</summary>
    public static string RealPath(string fullPath)
    {
        var links = 0;
        var real = Path.GetPathRoot(fullPath)!;
        var rest = new Stack<string>(Parts(fullPath[real.Length..]).Reverse());
        while (rest.TryPop(out var part))
        {
            if (part == "..")
            {
                real = Path.GetDirectoryName(real) ?? real;
                continue;
            }

            var next = Path.Combine(real, part);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                real = next;
                continue;
            }

            if (++links > MaxLinks)
            {
                throw new UnauthorizedAccessException($"'{fullPath}' has too many symbolic links.");
            }

            if (Path.IsPathRooted(target))
            {
                real = Path.GetPathRoot(target)!;
                target = target[real.Length..];
            }

            foreach (var piece in Parts(target).Reverse())
            {
                rest.Push(piece);
            }
        }

        return real;
    }

    private static IEnumerable<string> Parts(string path) => path
        .Split([Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar], StringSplitOptions.RemoveEmptyEntries)
        .Where(p => p != ".");
}
