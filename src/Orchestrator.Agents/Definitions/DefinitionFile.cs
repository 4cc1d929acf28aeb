using System.Security.Cryptography;
using System.Text;

namespace Orchestrator.Agents.Definitions;

/// <summary>Reads one definition file.</summary>
internal static class DefinitionFile
{
    /// <param name="path">The file.</param>
    /// <param name="read">Makes a definition of path, text, and the file's SHA-256 in lower-case hexadecimal.</param>
    /// <exception cref="DefinitionException">The file can't be read or is wrong.</exception>
    public static T Read<T>(string path, Func<string, string, string, T> read)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DefinitionException(new DefinitionError(path, 1, 1, "", $"the file can't be read: {e.Message}"));
        }

        using var reader = new StreamReader(new MemoryStream(bytes), Encoding.UTF8);
        return read(path, reader.ReadToEnd(), Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }
}
