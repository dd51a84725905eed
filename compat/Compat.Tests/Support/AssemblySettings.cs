// The tests share two cores, and one of them watches the process's memory.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
