using System.Text;
using Orchestrator.Inference.Constraints;

namespace Orchestrator.Inference.Tests.Scheduling;

/// <summary>Allows exactly some texts: the simplest constraint that has choices, forced runs and an end.</summary>
internal sealed class TextsConstraint(ITokenVocabulary vocabulary, params string[] texts) : ITokenConstraint
{
    public ITokenVocabulary Vocabulary => vocabulary;

    public IConstraintMatcher Start() => new Matcher(vocabulary, [.. texts.Select(Encoding.UTF8.GetBytes)], []);

    private sealed class Matcher(ITokenVocabulary vocabulary, byte[][] texts, byte[] done) : IConstraintMatcher
    {
        private byte[] _done = done;

        public bool CanEnd => texts.Any(t => t.AsSpan().SequenceEqual(_done));

        public bool MustEnd => CanEnd && Rests().All(r => r.Length == 0);

        public int MinBytesToEnd => Rests().Min(r => r.Length);

        public ReadOnlySpan<uint> Mask()
        {
            var mask = new uint[(vocabulary.Size + 31) / 32];
            for (var token = 0; token < vocabulary.Size; token++)
            {
                var allowed = vocabulary.IsEndOfGeneration(token)
                    ? CanEnd
                    : !vocabulary.IsSpecial(token) && vocabulary.GetBytes(token).Length > 0 && Allows(vocabulary.GetBytes(token));
                mask[token / 32] |= allowed ? 1u << (token % 32) : 0;
            }

            return mask;
        }

        public bool TryAccept(int token) =>
            vocabulary.IsEndOfGeneration(token) ? CanEnd : TryAcceptBytes(vocabulary.GetBytes(token));

        public bool TryAcceptBytes(ReadOnlySpan<byte> bytes)
        {
            if (!Allows(bytes))
            {
                return false;
            }

            _done = [.. _done, .. bytes];
            return true;
        }

        public ReadOnlyMemory<byte> ForcedBytes()
        {
            var rests = Rests();
            var first = rests[0];
            var length = rests.Min(r => r.AsSpan().CommonPrefixLength(first));
            return CanEnd ? default : first.AsMemory(0, length);
        }

        public ReadOnlyMemory<byte> ShortestCompletion() => Rests().MinBy(r => r.Length);

        public IConstraintMatcher Clone() => new Matcher(vocabulary, texts, _done);

        private bool Allows(ReadOnlySpan<byte> bytes)
        {
            byte[] all = [.. _done, .. bytes];
            return texts.Any(t => t.AsSpan().StartsWith(all));
        }

        private byte[][] Rests() => [.. texts.Where(t => t.AsSpan().StartsWith(_done)).Select(t => t[_done.Length..])];
    }
}
