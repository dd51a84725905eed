using System.Text.Json.Nodes;

namespace ChatServer.Tests.Support;

/// <summary>Reads what a server frame says.</summary>
internal static class Frames
{
    public static string Type(this JsonObject frame) => frame["type"]!.GetValue<string>();

    public static string? Text(this JsonObject frame, string name) => frame[name]?.GetValue<string>();

    public static long Number(this JsonObject frame, string name) => frame[name]!.GetValue<long>();

    public static bool Flag(this JsonObject frame, string name) => frame[name]!.GetValue<bool>();

    public static IEnumerable<long> Numbers(this JsonObject frame, string name) =>
        frame[name]!.AsArray().Select(item => item!.GetValue<long>());

    /// <summary>The messages of a chat frame.</summary>
    public static IEnumerable<JsonObject> Messages(this JsonObject frame) =>
        frame["messages"]!.AsArray().Select(message => message!.AsObject());
}
