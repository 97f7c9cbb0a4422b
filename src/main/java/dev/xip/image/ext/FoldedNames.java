package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.FileName;
import dev.xip.base.MalformedDataException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.Locale;

/**
 * The names of a case-folded directory. Each name has a folded form: in Unicode 12.1, decomposed
 * (NFD), with full case folding, without the characters that are ignorable by default. Two names
 * are the same if their folded forms are. A name that is not valid UTF-8 is compared by its bytes;
 * with a strict encoding it is damage. Linux counterpart: fs/unicode/utf8-core.c:utf8_casefold.
 *
 * @param strict whether the image takes names in UTF-8 alone
 */
record FoldedNames(boolean strict) implements NameForm {
  /**
   * Returns the form of an image's names.
   *
   * @param view the image
   * @return the form
   * @throws MalformedDataException if the image names an encoding that is not known
   */
  static FoldedNames of(ByteView view) throws MalformedDataException {
    long field = ExtLayout.SUPERBLOCK_OFFSET + ExtLayout.S_ENCODING;
    if (view.u16(field) != ExtLayout.ENCODING_UTF8_12_1) {
      throw view.malformed(field, "the encoding 1, UTF-8", Integer.toString(view.u16(field)));
    }
    long flags = view.u16(ExtLayout.SUPERBLOCK_OFFSET + ExtLayout.S_ENCODING_FLAGS);
    return new FoldedNames((flags & 1) != 0);
  }

  @Override
  public FileName shown(ByteView view, long at) throws MalformedDataException {
    FileName name = NameForm.stored(view, at);
    if (strict && decoded(name) == null) {
      throw view.malformed(
          at + ExtLayout.D_NAME, "a name in UTF-8, the strict encoding", name.exactText());
    }
    return name;
  }

  @Override
  public FileName key(FileName name) {
    byte[] folded = foldedAscii(name);
    if (folded == null) {
      String text = decoded(name);
      return text == null ? name : FileName.of(fold(text));
    }
    return FileName.of(folded);
  }

  /** Some kernels hashed ignorable characters, so that a look-up by hash may miss names. */
  @Override
  public boolean isExact() {
    return false;
  }

  private static byte[] foldedAscii(FileName name) {
    byte[] folded = new byte[name.length()];
    for (int i = 0; i < folded.length; i++) {
      byte next = name.at(i);
      if (next < 0) {
        return null;
      }
      folded[i] = (byte) (next >= 'A' && next <= 'Z' ? next + ('a' - 'A') : next);
    }
    return folded;
  }

  /** Returns the text, null if it is not UTF-8. */
  private static String decoded(FileName name) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(name.bytes())).toString();
    } catch (CharacterCodingException e) {
      return null;
    }
  }

  /**
   * Folds text.
   *
   * @param text the text
   * @return its key
   */
  static String fold(String text) {
    StringBuilder all = new StringBuilder(text.length());
    // Marks are put in order up to a character that is not of Unicode 12.1 or that is left out.
    StringBuilder run = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
      int character = text.codePointAt(i);
      boolean later = Unicode12.isLater(character);
      if (!later && !Unicode12.isIgnorable(character)) {
        append(run, character);
        continue;
      }
      all.append(Normalizer.normalize(run, Normalizer.Form.NFD));
      run.setLength(0);
      if (later) {
        all.appendCodePoint(character);
      }
    }
    return all.append(Normalizer.normalize(run, Normalizer.Form.NFD)).toString();
  }

  private static void append(StringBuilder to, int character) {
    Normalizer.normalize(Character.toString(character), Normalizer.Form.NFD)
        .codePoints()
        .forEach(part -> to.append(folded(part)));
  }

  /** The mapping of CaseFolding.txt with status C or F, which the JDK has in two steps only. */
  private static String folded(int character) {
    if (Unicode12.keepsCase(character)) {
      return Character.toString(character);
    }
    if (Unicode12.foldsUp(character)) {
      return Character.toString(Character.toUpperCase(character));
    }
    StringBuilder folded = new StringBuilder(2);
    Character.toString(Character.toLowerCase(character))
        .toUpperCase(Locale.ROOT)
        .codePoints()
        .forEach(part -> folded.appendCodePoint(Character.toLowerCase(part)));
    return folded.toString();
  }
}
