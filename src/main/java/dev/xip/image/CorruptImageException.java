package dev.xip.image;

import dev.xip.base.ByteView;
import dev.xip.base.FileName;
import dev.xip.base.MalformedDataException;
import java.lang.foreign.MemorySegment;

/** An image is damaged, truncated or of a kind that xip does not read. */
public final class CorruptImageException extends MalformedDataException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes an exception.
   *
   * @param image the image file's name
   * @param offset the byte offset in it
   * @param expected what the format asks for there
   * @param found what is there
   */
  public CorruptImageException(String image, long offset, String expected, String found) {
    super(image, offset, expected, found);
  }

  /** A class: to link the first lambda of a kind takes longer than opening an image. */
  private static final class Maker implements Factory {
    private static final Maker INSTANCE = new Maker();

    @Override
    public CorruptImageException at(String file, long offset, String expected, String found) {
      return new CorruptImageException(file, offset, expected, found);
    }
  }

  /**
   * Makes a view of an image, which tells of damage by this exception.
   *
   * @param memory the bytes of the whole image
   * @param image the image file's name, for errors
   * @return the view
   */
  public static ByteView view(MemorySegment memory, String image) {
    return new ByteView(memory, image, Maker.INSTANCE);
  }

  /**
   * Adds the folder in which the damage was found.
   *
   * @param folder its path
   * @return a copy of this exception that names the folder
   */
  CorruptImageException in(FileName folder) {
    CorruptImageException named =
        new CorruptImageException(
            getFile(), offset(), expected(), found() + ", in folder " + folder);
    named.setStackTrace(getStackTrace());
    return named;
  }
}
