// Everything the player offers: the modules below this one are joined into one script.

import { mountPage } from "./page.js";
import { mount } from "./streamlit.js";

export { mount, mountPage };
