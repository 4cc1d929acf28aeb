using System.Globalization;
using System.Text;

namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>Python's <c>datetime.strftime</c> in the C locale, with glibc's flags <c>-</c>, <c>_</c>, <c>0</c> and <c>^</c>.</summary>
internal static class StrfTime
{
    public static string Format(DateTimeOffset time, string format)
    {
        var text = new StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                text.Append(format[i]);
                continue;
            }

            var flag = format[i + 1] is '-' or '_' or '0' or '^' && i + 2 < format.Length ? format[i + 1] : '\0';
            i += flag == '\0' ? 1 : 2;
            text.Append(Field(time, format[i], flag) ?? (flag == '\0' ? $"%{format[i]}" : $"%{flag}{format[i]}"));
        }

        return text.ToString();
    }

    private static string? Field(DateTimeOffset t, char directive, char flag)
    {
        string Number(int value, int width = 2, char pad = '0')
        {
            pad = flag switch { '_' => ' ', '0' => '0', _ => pad };
            var digits = value.ToString(CultureInfo.InvariantCulture);
            return flag == '-' ? digits : digits.PadLeft(width, pad);
        }

        string Name(string format)
        {
            var name = t.ToString(format, CultureInfo.InvariantCulture);
            return flag == '^' ? name.ToUpperInvariant() : name;
        }

        var hour12 = t.Hour % 12 == 0 ? 12 : t.Hour % 12;
        var monday = ((int)t.DayOfWeek + 6) % 7;
        return directive switch
        {
            'a' => Name("ddd"),
            'A' => Name("dddd"),
            'b' or 'h' => Name("MMM"),
            'B' => Name("MMMM"),
            'd' => Number(t.Day),
            'e' => Number(t.Day, pad: ' '),
            'm' => Number(t.Month),
            'y' => Number(t.Year % 100),
            'Y' => Number(t.Year, 1),
            'C' => Number(t.Year / 100),
            'G' => Number(ISOWeek.GetYear(t.DateTime), 1),
            'g' => Number(ISOWeek.GetYear(t.DateTime) % 100),
            'V' => Number(ISOWeek.GetWeekOfYear(t.DateTime)),
            'U' => Number((t.DayOfYear + 6 - (int)t.DayOfWeek) / 7),
            'W' => Number((t.DayOfYear + 6 - monday) / 7),
            'j' => Number(t.DayOfYear, 3),
            'u' => Number(monday + 1, 1),
            'w' => Number((int)t.DayOfWeek, 1),
            'H' => Number(t.Hour),
            'k' => Number(t.Hour, pad: ' '),
            'I' => Number(hour12),
            'l' => Number(hour12, pad: ' '),
            'M' => Number(t.Minute),
            'S' => Number(t.Second),
            'f' => (t.Ticks % TimeSpan.TicksPerSecond / 10).ToString("000000", CultureInfo.InvariantCulture),
            'p' => t.Hour < 12 ? "AM" : "PM",
            'P' => t.Hour < 12 ? "am" : "pm",
            's' => t.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
            // strftime_now uses a time without a zone, for which Python writes nothing.
            'z' or 'Z' => "",
            'n' => "\n",
            't' => "\t",
            '%' => "%",
            'D' or 'x' => Format(t, "%m/%d/%y"),
            'F' => Format(t, "%Y-%m-%d"),
            'R' => Format(t, "%H:%M"),
            'T' or 'X' => Format(t, "%H:%M:%S"),
            'r' => Format(t, "%I:%M:%S %p"),
            'c' => Format(t, "%a %b %e %H:%M:%S %Y"),
            _ => null,
        };
    }
}
