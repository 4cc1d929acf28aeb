namespace Orchestrator.Testing.Conformance;

/// <summary>An implementation does not do what its contract says.</summary>
/// <param name="message">What was expected and what happened.</param>
public sealed class ConformanceException(string message) : Exception(message);

/// <summary>Checks that need no test framework.</summary>
internal static class Require
{
    public static void That(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new ConformanceException(otherwise);
        }
    }

    public static void Equal<T>(T expected, T actual, string what) =>
        That(EqualityComparer<T>.Default.Equals(expected, actual), $"{what}: expected {expected}, got {actual}.");

    /// <summary>Holds that a call throws a kind of exception; the process must live to see it.</summary>
    public static void Throws<TException>(Action call, string what)
        where TException : Exception
    {
        try
        {
            call();
        }
        catch (TException)
        {
            return;
        }
        catch (Exception other)
        {
            throw new ConformanceException($"{what}: expected {typeof(TException).Name}, got {other.GetType().Name}: {other.Message}");
        }

        throw new ConformanceException($"{what}: expected {typeof(TException).Name}, but nothing was thrown.");
    }
}
