package dev.xip.cli;

import dev.xip.base.Pages;
import dev.xip.segment.SegmentException;
import dev.xip.segment.SegmentPart;
import dev.xip.segment.SegmentType;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Converters for the numbers in options. */
final class SegmentNumbers {
  private SegmentNumbers() {}

  /** Converts a page-aligned address in bytes. */
  static final class Address implements ITypeConverter<Long> {
    @Override
    public Long convert(String text) {
      try {
        return Pages.requireAligned(parse(text), "address");
      } catch (NumberFormatException e) {
        throw new TypeConversionException("expected an address, found '%s'".formatted(text));
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }

  /** Converts a number of bytes; the suffixes K, M and G are powers of 1024. */
  static final class Bytes implements ITypeConverter<Long> {
    @Override
    public Long convert(String text) {
      return bytes(text, 1);
    }
  }

  /** Converts an offset in bytes, which may be 0, with suffixes as {@link Bytes} takes them. */
  static final class Offset implements ITypeConverter<Long> {
    @Override
    public Long convert(String text) {
      return bytes(text, 0);
    }
  }

  private static long bytes(String text, int least) {
    char last = text.isEmpty() ? ' ' : text.charAt(text.length() - 1);
    int unit = "KMG".indexOf(Character.toUpperCase(last)) + 1;
    try {
      long number = parse(unit == 0 ? text : text.substring(0, text.length() - 1));
      if (number >= least) {
        return Math.multiplyExact(number, 1L << 10 * unit);
      }
    } catch (NumberFormatException | ArithmeticException e) {
      // reported below
    }
    throw new TypeConversionException(
        "expected a number of bytes, at least %d, found '%s'".formatted(least, text));
  }

  /**
   * A part as typed, FIRST-LAST:TYPE with page numbers in hexadecimal.
   *
   * @param type the type
   * @param first the first page
   * @param last the last page, inclusive
   */
  record TypedPart(SegmentType type, long first, long last) {
    SegmentPart toPart() throws SegmentException {
      return SegmentPart.of(type, first, last);
    }
  }

  /** Converts a part. */
  static final class Part implements ITypeConverter<TypedPart> {
    private static final Pattern FORM =
        Pattern.compile(
            "(?:0x)?([0-9a-f]{1,15})-(?:0x)?([0-9a-f]{1,15}):([A-Z]+)", Pattern.CASE_INSENSITIVE);

    @Override
    public TypedPart convert(String text) {
      Matcher form = FORM.matcher(text);
      if (!form.matches()) {
        throw new TypeConversionException("expected FIRST-LAST:TYPE, found '%s'".formatted(text));
      }
      try {
        return new TypedPart(
            SegmentType.valueOf(form.group(3).toUpperCase(Locale.ROOT)),
            Long.parseLong(form.group(1), 16),
            Long.parseLong(form.group(2), 16));
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(
            "expected a type such as EW, found %s in '%s'".formatted(form.group(3), text));
      }
    }
  }

  private static long parse(String text) {
    boolean hex = text.startsWith("0x") || text.startsWith("0X");
    return hex ? Long.parseLong(text.substring(2), 16) : Long.parseLong(text);
  }
}
