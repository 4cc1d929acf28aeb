namespace Orchestrator.Inference.Scheduling.Speculation;

/// <summary>A token guessed ahead.</summary>
/// <param name="Token">Its id.</param>
/// <param name="Forced">Whether the constraint leaves no choice once the guesses before it are right.</param>
internal readonly record struct DraftToken(int Token, bool Forced);
