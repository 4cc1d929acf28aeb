namespace Orchestrator.Inference.Tests;

/// <summary>The real model that tests may use.</summary>
public static class TestModels
{
    /// <summary>Its path, or null where the environment names none.</summary>
    public static string? Real => Environment.GetEnvironmentVariable("ORCHESTRATOR_TEST_MODEL") is { Length: > 0 } path ? path : null;
}
