using Orchestrator.Inference.Drivers;

namespace Orchestrator.Testing.Conformance;

/// <content>Drivers whose cache can only be shared and removed whole (<see cref="DriverInfo.CanCut"/>).</content>
public static partial class ModelDriverConformance
{
    private static readonly string[] NeedCutting =
    [
        "a copied sequence goes on like its source",
        "a token may join several sequences",
        "a cut sequence goes on from the cut",
        "a long sequence is cut after others were computed",
        "a loaded sequence is cut",
        "a gap is filled by sharing",
        "cells are counted",
        "a full cache says so and stays usable", // A recurrent state takes no room for each token.
        "bad sequences are refused",
    ];

    /// <summary>The cases for a driver whose cache can't be cut, by name.</summary>
    public static IReadOnlyDictionary<string, Action<IModelDriver>> WholeCases { get; } =
        new Dictionary<string, Action<IModelDriver>>(Cases.Where(c => !NeedCutting.Contains(c.Key, StringComparer.Ordinal)), StringComparer.Ordinal)
        {
            ["a sequence copied whole goes on like its source"] = WholeCopyGoesOn,
            ["a copy outlives its source"] = CopyOutlivesItsSource,
            ["parts are refused"] = PartsAreRefused,
            ["a token joins one sequence"] = TokenJoinsOneSequence,
            ["states may be saved and loaded beside each other"] = StatesBesideEachOther,
        };

    private static void WholeCopyGoesOn(IModelDriver driver)
    {
        var tokens = Prompt(driver, 12);
        var alone = Run(driver, 1, tokens);
        Run(driver, 0, tokens[..9]);
        driver.CopySequence(0, 3, 0, 9);
        driver.CopySequence(0, 4, 0, 9);

        // The copies part: what one computes must not show in the others.
        Run(driver, 4, [tokens[2], tokens[1], tokens[0]], 9);
        Close(alone, Run(driver, 3, tokens[9..], 9), "A copied sequence");
        Close(alone, Run(driver, 0, tokens[9..], 9), "Its source, after two copies went on");
        Close(Run(driver, 5, [.. tokens[..9], tokens[2], tokens[1], tokens[0], tokens[4]]), Run(driver, 4, [tokens[4]], 12), "A copy that went another way");
    }

    private static void CopyOutlivesItsSource(IModelDriver driver)
    {
        var tokens = Prompt(driver, 10);
        var alone = Run(driver, 1, tokens);
        Run(driver, 0, tokens[..9]);
        driver.CopySequence(0, 3, 0, 9);
        Require.That(driver.RemoveSequence(0, 0, int.MaxValue), "A copied sequence could not be removed.");
        Run(driver, 0, [.. tokens.Reverse()]);
        Require.Equal<int?>(9, driver.GetSequenceLength(3) ?? 9, "Positions of a copy whose source is gone");
        Close(alone, Run(driver, 3, tokens[9..], 9), "A copy whose source is gone");
    }

    private static void PartsAreRefused(IModelDriver driver)
    {
        var tokens = Prompt(driver, 10);
        var alone = Run(driver, 1, tokens);
        Run(driver, 0, tokens[..9]);
        Require.That(!driver.RemoveSequence(0, 4, int.MaxValue), "A sequence that can't be cut was cut.");
        Require.Throws<ArgumentException>(() => driver.CopySequence(0, 2, 0, 4), "Copying the beginning of a sequence that can't be cut");
        Require.Throws<ArgumentException>(() => driver.CopySequence(0, 2, 4, 9), "Copying the end of one");
        Run(driver, 2, tokens[..4]);
        Require.Throws<ArgumentException>(() => driver.CopySequence(0, 2, 0, 9), "Copying over another sequence");
        Require.That(driver.RemoveSequence(0, 9, int.MaxValue), "Removing what is not there failed.");
        Close(alone, Run(driver, 0, tokens[9..], 9), "A sequence after what was refused");
    }

    private static void TokenJoinsOneSequence(IModelDriver driver)
    {
        var token = Prompt(driver, 1)[0];
        var alone = Run(driver, 0, [token]);
        var batch = new DecodeBatch();
        batch.Add(token, 0, output: true, 1, 2);
        Require.Throws<ArgumentException>(() => driver.Decode(batch), "A batch with a token of two sequences");
        Close(alone, Run(driver, 1, [token]), "A batch after one that was refused");
    }

    private static void StatesBesideEachOther(IModelDriver driver)
    {
        var tokens = Prompt(driver, 12);
        Run(driver, 0, tokens[..9]);
        var state = driver.SaveSequence(0);
        Run(driver, 1, [.. tokens.Reverse()]);
        var other = driver.SaveSequence(1);
        driver.RemoveSequence(0, 0, int.MaxValue);
        driver.RemoveSequence(1, 0, int.MaxValue);

        // Into other places, with something computed in between.
        Require.That(driver.LoadSequence(6, other), "A saved sequence could not be loaded.");
        Run(driver, 2, tokens[..3]);
        Require.That(driver.LoadSequence(3, state), "A second one could not be loaded.");
        driver.CopySequence(3, 4, 0, 9);
        var expected = Run(driver, 5, tokens);
        Close(expected, Run(driver, 3, tokens[9..], 9), "A loaded sequence");
        Close(expected, Run(driver, 4, tokens[9..], 9), "A copy of a loaded sequence");
        Close(Run(driver, 7, [.. tokens.Reverse(), tokens[0]]), Run(driver, 6, [tokens[0]], 12), "The one loaded before it");
    }
}
