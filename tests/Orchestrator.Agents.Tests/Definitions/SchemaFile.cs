namespace Orchestrator.Agents.Tests.Definitions;

/// <summary>A JSON schema in the repository that must equal what the code reads.</summary>
internal static class SchemaFile
{
    /// <summary>With ORCHESTRATOR_UPDATE_SCHEMAS=1 the file is written instead of compared.</summary>
    public static void AssertIs(string expected, params string[] path)
    {
        var file = RepositoryRoot.Combine(path);
        if (Environment.GetEnvironmentVariable("ORCHESTRATOR_UPDATE_SCHEMAS") == "1")
        {
            File.WriteAllText(file, expected);
        }

        Assert.True(File.Exists(file), $"{file} is missing; run the tests with ORCHESTRATOR_UPDATE_SCHEMAS=1.");
        Assert.Equal(expected, File.ReadAllText(file));
    }
}
