"""Entrega que entrena al importarse: no hay qué calificar."""

import keras

modelo = keras.Sequential([keras.layers.Dense(2)])
modelo.fit(datos_que_no_estan, epochs=5)  # noqa: F821
