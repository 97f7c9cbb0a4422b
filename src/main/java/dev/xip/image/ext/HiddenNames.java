package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.FileName;
import dev.xip.base.MalformedDataException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;

/**
 * The names of an encrypted directory as the kernel shows them without its key: base64url of the
 * hash and of the encrypted name, where the end of a long name is replaced by its SHA-256. Targets
 * of encrypted links are shown in the same way. These names can be listed and looked up. Linux
 * counterpart: fs/crypto/fname.c:fscrypt_fname_disk_to_usr.
 *
 * @param hash the hash function of the directory, null where the kernel shows no hashes
 * @param hashInEntry whether the entries hold their hashes, as in case-folded directories
 */
record HiddenNames(NameHash hash, boolean hashInEntry) implements NameForm {
  /** No encrypted name is shorter (FSCRYPT_FNAME_MIN_MSG_LEN). */
  private static final int LEAST_BYTES = 16;

  /** How many bytes of an encrypted name are shown as they are. */
  private static final int SHOWN_BYTES = 149;

  private static final Base64.Encoder BASE64 = Base64.getUrlEncoder().withoutPadding();
  private static final FileName DOT = FileName.of(".");
  private static final FileName DOT_DOT = FileName.of("..");

  /**
   * Returns the form of the names of an encrypted directory. The kernel shows hashes where it reads
   * a directory through its index, or one block as if it were one.
   *
   * @param view the image
   * @param superblock its superblock
   * @param parts where the directory's entries lie
   * @param folded whether the directory takes no notice of case
   * @return the form
   * @throws MalformedDataException if the image ends before its superblock
   */
  static HiddenNames of(ByteView view, Superblock superblock, DirectoryParts parts, boolean folded)
      throws MalformedDataException {
    NameHash hash = null;
    if (parts.isHashed()) {
      hash = NameHash.of(view, view.u8(parts.start(0) + HashTreeLayout.HASH_VERSION));
    } else if (parts.count() == 1
        && superblock.features().hasCompat(ExtFeatures.COMPAT_DIR_INDEX)) {
      long version = ExtLayout.SUPERBLOCK_OFFSET + ExtLayout.S_DEF_HASH_VERSION;
      hash = NameHash.of(view, view.u8(version));
    }
    return new HiddenNames(hash, folded);
  }

  @Override
  public FileName shown(ByteView view, long at) throws MalformedDataException {
    FileName stored = NameForm.stored(view, at);
    if (stored.equals(DOT) || stored.equals(DOT_DOT)) {
      return stored;
    }
    long both = 0;
    if (hashInEntry) {
      both = NameForm.storedHash(view, at);
    } else if (hash != null) {
      both = hash.hash(stored);
    }
    return shown(view, at + ExtLayout.D_NAME, stored.bytes(), both);
  }

  /**
   * Shows an encrypted name or target.
   *
   * @param view the image, for errors
   * @param at the byte offset of the encrypted bytes
   * @param encrypted the bytes
   * @param hash the two hashes of a name, 0 for a target
   * @return what is shown
   * @throws MalformedDataException if no such bytes can be the result of encryption
   */
  static FileName shown(ByteView view, long at, byte[] encrypted, long hash)
      throws MalformedDataException {
    if (encrypted.length < LEAST_BYTES) {
      throw view.malformed(
          at,
          "an encrypted name of at least %d bytes".formatted(LEAST_BYTES),
          "one of %d".formatted(encrypted.length));
    }
    byte[] rest = encrypted.length > SHOWN_BYTES ? digest(encrypted) : new byte[0];
    int direct = Math.min(encrypted.length, SHOWN_BYTES);
    ByteBuffer all =
        ByteBuffer.allocate(Long.BYTES + direct + rest.length).order(ByteOrder.LITTLE_ENDIAN);
    all.putInt((int) (hash >>> Integer.SIZE)).putInt((int) hash);
    all.put(encrypted, 0, direct).put(rest);
    return FileName.of(new String(BASE64.encode(all.array()), StandardCharsets.US_ASCII));
  }

  private static byte[] digest(byte[] encrypted) {
    try {
      return MessageDigest.getInstance("SHA-256")
          .digest(Arrays.copyOfRange(encrypted, SHOWN_BYTES, encrypted.length));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }

  @Override
  public FileName key(FileName name) {
    return name;
  }

  /** A name that is shown does not tell its hash in every directory. */
  @Override
  public boolean isHashed() {
    return false;
  }
}
