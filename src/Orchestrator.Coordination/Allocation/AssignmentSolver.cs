namespace Orchestrator.Coordination.Allocation;

/// <summary>
/// The assignment of rows to different columns that costs least in sum, by shortest augmenting paths with potentials
/// (the Hungarian method; Jonker and Volgenant, Computing 1987). O(rows² × columns).
/// </summary>
public static class AssignmentSolver
{
    /// <summary>Solves a rectangular assignment exactly.</summary>
    /// <param name="costs">Finite costs, [rows, columns] with no more rows than columns.</param>
    /// <returns>The column of each row.</returns>
    /// <exception cref="ArgumentException">There are more rows than columns, or a cost is not finite.</exception>
    public static int[] Solve(double[,] costs)
    {
        ArgumentNullException.ThrowIfNull(costs);
        var rows = costs.GetLength(0);
        var columns = costs.GetLength(1);
        if (rows > columns)
        {
            throw new ArgumentException($"{rows} rows cannot have different ones of {columns} columns.", nameof(costs));
        }

        foreach (var cost in costs)
        {
            if (!double.IsFinite(cost))
            {
                throw new ArgumentException("Costs must be finite.", nameof(costs));
            }
        }

        // Row and column 0 stand for "none"; rowOf[c] is the row that has column c.
        var rowPotential = new double[rows + 1];
        var columnPotential = new double[columns + 1];
        var rowOf = new int[columns + 1];
        var cameFrom = new int[columns + 1];
        for (var row = 1; row <= rows; row++)
        {
            rowOf[0] = row;
            var column = 0;
            var distance = new double[columns + 1];
            Array.Fill(distance, double.PositiveInfinity);
            var settled = new bool[columns + 1];
            do
            {
                settled[column] = true;
                column = Step(costs, rowOf, rowPotential, columnPotential, cameFrom, distance, settled, column);
            }
            while (rowOf[column] != 0);

            while (column != 0)
            {
                rowOf[column] = rowOf[cameFrom[column]];
                column = cameFrom[column];
            }
        }

        var result = new int[rows];
        for (var column = 1; column <= columns; column++)
        {
            if (rowOf[column] > 0)
            {
                result[rowOf[column] - 1] = column - 1;
            }
        }

        return result;
    }

    /// <summary>Relaxes the edges of the row that has a column, and gives the nearest column that is not settled.</summary>
    private static int Step(
        double[,] costs,
        int[] rowOf,
        double[] rowPotential,
        double[] columnPotential,
        int[] cameFrom,
        double[] distance,
        bool[] settled,
        int column)
    {
        var row = rowOf[column];
        var nearest = 0;
        var least = double.PositiveInfinity;
        for (var c = 1; c < settled.Length; c++)
        {
            if (settled[c])
            {
                continue;
            }

            var reduced = costs[row - 1, c - 1] - rowPotential[row] - columnPotential[c];
            if (reduced < distance[c])
            {
                distance[c] = reduced;
                cameFrom[c] = column;
            }

            if (distance[c] < least)
            {
                least = distance[c];
                nearest = c;
            }
        }

        for (var c = 0; c < settled.Length; c++)
        {
            if (settled[c])
            {
                rowPotential[rowOf[c]] += least;
                columnPotential[c] -= least;
            }
            else
            {
                distance[c] -= least;
            }
        }

        return nearest;
    }
}
