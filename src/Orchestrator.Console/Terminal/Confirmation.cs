namespace Orchestrator.Console.Terminal;

/// <summary>Asks a person yes or no.</summary>
internal static class Confirmation
{
    /// <summary>Asks; only y and yes mean yes.</summary>
    /// <param name="interaction">The terminal; a person must be there.</param>
    /// <param name="question">What is asked, without the answers.</param>
    /// <param name="cancellationToken">Ctrl-C, which doesn't wait for the answer.</param>
    public static async Task<bool> ConfirmAsync(this IInteraction interaction, string question, CancellationToken cancellationToken)
    {
        // Reading blocks its thread.
        var answer = await Task.Run(() => interaction.ReadLine($"{question} [y/N] "), cancellationToken).WaitAsync(cancellationToken);
        return answer?.Trim().ToUpperInvariant() is "Y" or "YES";
    }
}
