package dev.xip.measure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Supplier;
import javax.imageio.ImageIO;
import org.knowm.xchart.ChartEncoder;
import org.knowm.xchart.internal.chartpart.IChart;

/** Writes charts to files. */
public final class Drawing {
  private Drawing() {}

  /**
   * {@return the format that a file's suffix names: {@code png} or {@code svg}}
   *
   * @param file the file
   * @throws IOException if its suffix is neither
   */
  public static String format(Path file) throws IOException {
    String name = file.toString().toLowerCase(Locale.ROOT);
    String format = name.substring(name.lastIndexOf('.') + 1);
    if (!format.equals("svg") && !format.equals("png")) {
      throw new IOException("chart " + file + ": expected a name that ends in .png or .svg");
    }
    return format;
  }

  /** Writes a chart in the format of the file's suffix and replaces a file that exists. */
  static void write(Supplier<? extends IChart> chart, Path file) throws IOException {
    String format = format(file);
    ImageIO.setUseCache(false); // a cache would be a file in a folder that ImageIO chooses
    Files.write(file, ChartEncoder.getBytes(chart.get(), format));
  }
}
