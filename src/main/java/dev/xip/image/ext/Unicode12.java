package dev.xip.image.ext;

import java.util.Arrays;

/**
 * Where the JDK's Unicode is not what case-folded directories need, Unicode 12.1.0 as in
 * fs/unicode/utf8data.c of Linux: characters that came later, and properties that the JDK does not
 * tell.
 */
final class Unicode12 {
  /** Default_Ignorable_Code_Point: pairs of first and last. */
  private static final int[] IGNORABLE = {
    0xad, 0xad, 0x34f, 0x34f, 0x61c, 0x61c, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x180b, 0x180e,
    0x200b, 0x200f, 0x202a, 0x202e, 0x2060, 0x206f, 0x3164, 0x3164, 0xfe00, 0xfe0f, 0xfeff, 0xfeff,
    0xffa0, 0xffa0, 0xfff0, 0xfff8, 0x1bca0, 0x1bca3, 0x1d173, 0x1d17a, 0xe0000, 0xe0fff
  };

  /**
   * Pairs of first and last: all characters of Unicode 13 to 16 that a later case folding,
   * decomposition or combining class would change, and between them some that nothing changes.
   */
  private static final int[] LATER = {
    0x897, 0x8d2, 0xc3c, 0xc3c, 0x1715, 0x1715, 0x1abf, 0x1ace, 0x1c89, 0x1c89, 0x1dfa, 0x1dfa,
    0x2c2f, 0x2c2f, 0xa7c0, 0xa7c0, 0xa7c7, 0xa7f5, 0xa82c, 0xa82c, 0x10570, 0x105e4, 0x10d50,
    0x10eff, 0x10f82, 0x10f85, 0x11070, 0x11070, 0x11383, 0x113d0, 0x11938, 0x11943, 0x11f41,
    0x1612f, 0x16d68, 0x16d6a, 0x16ff0, 0x16ff1, 0x1e08f, 0x1e08f, 0x1e2ae, 0x1e2ae, 0x1e4ec,
    0x1e5ef
  };

  /** Pairs of first and last: letters whose folded form is the upper case. */
  private static final int[] CHEROKEE = {0x13a0, 0x13fd, 0xab70, 0xabbf};

  private static final int DOTLESS_I = 0x131;

  private Unicode12() {}

  /** {@return whether a character is left out when names are compared} */
  static boolean isIgnorable(int character) {
    return isIn(IGNORABLE, character);
  }

  /** {@return whether Unicode 12.1 does not know a character, so that it stands for itself} */
  static boolean isLater(int character) {
    return isIn(LATER, character);
  }

  /** {@return whether a letter's folded form is its upper case} */
  static boolean foldsUp(int character) {
    return isIn(CHEROKEE, character);
  }

  /** {@return whether a letter has an upper case, but is its own folded form} */
  static boolean keepsCase(int character) {
    return character == DOTLESS_I;
  }

  private static boolean isIn(int[] pairs, int character) {
    int found = Arrays.binarySearch(pairs, character);
    return found >= 0 || (-found - 1 & 1) != 0;
  }
}
