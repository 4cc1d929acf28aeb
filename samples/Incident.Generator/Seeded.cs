namespace Incident.Generator;

/// <summary>Independent random streams from one seed, so that adding noise does not change the traffic.</summary>
internal static class Seeded
{
    public static Random Stream(int seed, string name)
    {
        // FNV-1a: string.GetHashCode differs from process to process.
        var hash = 2166136261u ^ (uint)seed * 2654435761u;
        foreach (var c in name)
        {
            hash = (hash ^ c) * 16777619u;
        }

        return new Random((int)(hash & int.MaxValue));
    }

    public static double Between(this Random random, double low, double high) => low + (high - low) * random.NextDouble();

    public static bool Chance(this Random random, double p) => random.NextDouble() < p;

    public static T Pick<T>(this Random random, IReadOnlyList<T> items) => items[random.Next(items.Count)];

    /// <summary>Exponentially distributed with the mean given.</summary>
    public static double Exponential(this Random random, double mean) => -mean * Math.Log(1 - random.NextDouble());

    public static string Hex(this Random random, int digits) =>
        string.Concat(Enumerable.Range(0, digits).Select(_ => "0123456789abcdef"[random.Next(16)]));
}
