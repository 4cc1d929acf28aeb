using System.Text.Json;
using System.Xml.Linq;

namespace Orchestrator.Inference.Tests.Native;

public class LockFileTests
{
    public static TheoryData<string> Rows => [.. Folders()];

    [Theory]
    [MemberData(nameof(Rows))]
    public void A_lock_file_pins_the_version_and_names_no_download_address(string row)
    {
        var text = File.ReadAllText(Path.Combine(Root(), "native", row, "package-lock.json"));
        Assert.DoesNotContain("://", text, StringComparison.Ordinal);
        Assert.DoesNotContain("resolved", text, StringComparison.Ordinal);

        var packages = JsonDocument.Parse(text).RootElement.GetProperty("packages").EnumerateObject().Where(package => package.Name.Length > 0).ToList();
        Assert.Contains(packages, package => package.Name == $"node_modules/@node-llama-cpp/{row}");
        Assert.All(packages, package => Assert.Equal("3.22.1", package.Value.GetProperty("version").GetString()));
        if (row.StartsWith("linux", StringComparison.Ordinal))
        {
            Assert.All(packages, package => Assert.StartsWith("sha512-", package.Value.GetProperty("integrity").GetString(), StringComparison.Ordinal));
        }
    }

    [Fact]
    public void The_platform_table_and_the_folders_name_the_same_rows()
    {
        var table = XDocument.Load(Path.Combine(Root(), "eng", "Native.targets")).Descendants("NativeRow").Select(row => row.Attribute("Include")!.Value);
        Assert.Equal(Folders().Order(StringComparer.Ordinal), table.Order(StringComparer.Ordinal));
    }

    private static IEnumerable<string> Folders() =>
        Directory.EnumerateDirectories(Path.Combine(Root(), "native")).Select(path => Path.GetFileName(path)!);

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Orchestrator.sln")))
        {
            folder = Path.GetDirectoryName(folder)!;
        }

        return folder;
    }
}
