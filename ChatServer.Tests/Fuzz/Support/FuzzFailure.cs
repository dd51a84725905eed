namespace ChatServer.Tests.Fuzz.Support;

/// <summary>An input that something fell over; the text says all that is needed to see it again.</summary>
internal sealed class FuzzFailure(string target, string which, ReadOnlySpan<byte> input, string what, Exception? inner = null)
    : Exception($"{target}, {which}: {what}\nThe input, for Fuzz/Corpus/{target}.txt: {Convert.ToBase64String(input)}", inner);
