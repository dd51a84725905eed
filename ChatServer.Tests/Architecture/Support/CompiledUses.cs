using Mono.Cecil;
using Mono.Cecil.Cil;

namespace ChatServer.Tests.Architecture.Support;

/// <summary>Which folder uses which, as the compiled service says: signatures, fields, and every instruction of every method.</summary>
internal static class CompiledUses
{
    public static IReadOnlyCollection<Use> Of(ModuleDefinition module) =>
    [
        .. module.GetTypes()
            .SelectMany(type => TypesIn(type).Select(used => Between(type, used)))
            .OfType<Use>()
            .Distinct(),
    ];

    private static Use? Between(TypeDefinition user, TypeReference used)
    {
        var (from, to) = (FolderOf(user), FolderOf(used));
        return from is null || to is null || from == to ? null : new(from, to, Outermost(user).FullName);
    }

    private static string? FolderOf(TypeReference type) => Folders.OfNamespace(Outermost(type).Namespace);

    private static TypeReference Outermost(TypeReference type)
    {
        while (type.DeclaringType is { } outer)
        {
            type = outer;
        }

        return type;
    }

    private static IEnumerable<TypeReference> TypesIn(TypeDefinition type)
    {
        IEnumerable<TypeReference?> direct =
        [
            type.BaseType,
            .. type.Interfaces.Select(each => each.InterfaceType),
            .. type.Fields.Select(field => field.FieldType),
            .. type.Methods.SelectMany(TypesIn),
        ];
        return direct.OfType<TypeReference>().SelectMany(Parts);
    }

    private static IEnumerable<TypeReference?> TypesIn(MethodDefinition method) =>
    [
        method.ReturnType,
        .. method.Parameters.Select(parameter => parameter.ParameterType),
        .. method.HasBody ? method.Body.Variables.Select(variable => variable.VariableType) : [],
        .. method.HasBody ? method.Body.ExceptionHandlers.Select(handler => handler.CatchType) : [],
        .. method.HasBody ? method.Body.Instructions.SelectMany(TypesIn) : [],
    ];

    private static IEnumerable<TypeReference> TypesIn(Instruction instruction) => instruction.Operand switch
    {
        TypeReference type => [type],
        FieldReference field => [field.DeclaringType, field.FieldType],
        GenericInstanceMethod method => [method.DeclaringType, method.ReturnType, .. method.GenericArguments],
        MethodReference method => [method.DeclaringType, method.ReturnType],
        _ => [],
    };

    /// <summary>The type itself, what it is made of, and its generic arguments.</summary>
    private static IEnumerable<TypeReference> Parts(TypeReference type) => type switch
    {
        GenericInstanceType generic => [generic.ElementType, .. generic.GenericArguments.SelectMany(Parts)],
        TypeSpecification made => Parts(made.ElementType),
        _ => [type],
    };
}
